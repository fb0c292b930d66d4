/* An upstream that costs next to nothing, for benchmarks: one thread, epoll, HTTP/1.1 with keep-alive.
 *
 *   upstream PORT [US]
 *
 * POST /v1/chat/completions            one small chat completion, at once or after US microseconds
 * POST /v1/stream?n=N&us=U             N events of 210 bytes, one every U microseconds, in chunks; the head at once
 * POST /v1/stream?n=N&us=U&head=late   the same, the head with the first event
 * POST /v1/later?us=U                  one small chat completion after U microseconds
 * GET /events                          how many events were sent so far
 * POST /v1/hold                        one event, then silence until the client leaves
 *
 * Reads requests only as far as wrk and proxies write them: head, Content-Length, body.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INPUT = 16384, MOST_CONNECTIONS = 65536 };

struct connection {
    int descriptor;
    size_t filled;
    long events_left;
    int is_late; /* what is due is the answer, not an event */
    int head_is_due; /* goes out with the next event */
    uint64_t interval, due;
    struct connection *next, *previous;
    char input[INPUT];
};

static struct connection streams = {.next = &streams, .previous = &streams};
static char answer[2048];
static size_t answer_length;
static char event[256];
static size_t event_length;
static const char stream_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

static unsigned long events_sent, usual_wait;

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void prepare(void) {
    static const char body[] =
        "{\"id\":\"chatcmpl-123\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"choices\":"
        "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Lorem ipsum dolor sit amet, consectetur adipiscing elit, "
        "sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud "
        "exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit.\"},"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":34,\"total_tokens\":46}}";
    answer_length = (size_t)snprintf(
        answer, sizeof answer,
        "HTTP/1.1 200 OK\r\nServer: upstream\r\nContent-Type: application/json\r\nx-request-id: req_123\r\n"
        "openai-version: 2020-10-01\r\nopenai-processing-ms: 12\r\nContent-Length: %zu\r\n\r\n%s",
        sizeof body - 1, body);
    char payload[211];
    int start = snprintf(payload, sizeof payload,
                         "data: {\"id\":\"chatcmpl-123\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":"
                         "[{\"index\":0,\"delta\":{\"content\":\" ");
    memset(payload + start, 'w', sizeof payload - 1 - (size_t)start);
    memcpy(payload + sizeof payload - 1 - 7, "\"}}]}\n\n", 7);
    payload[sizeof payload - 1] = 0;
    event_length = (size_t)snprintf(event, sizeof event, "d2\r\n%.210s\r\n", payload);
}

static void leave(struct connection *connection) {
    if (connection->next) {
        connection->next->previous = connection->previous;
        connection->previous->next = connection->next;
    }
    close(connection->descriptor);
    free(connection);
}

/* Sockets hold far more than we ever have under way on one; a short write means a client that does not read. */
static int say(struct connection *connection, const char *bytes, size_t length) {
    return send(connection->descriptor, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void stream(struct connection *connection, long count, uint64_t interval) {
    connection->events_left = count;
    connection->is_late = connection->head_is_due = 0;
    connection->interval = interval;
    connection->due = now_us() + interval;
    connection->next = streams.next;
    connection->previous = &streams;
    streams.next->previous = connection;
    streams.next = connection;
}

/* Answers the request that begins the input; 0 when it is not complete, -1 when the connection is to be closed. */
static int answer_one(struct connection *connection) {
    char *input = connection->input;
    input[connection->filled] = 0;
    char *end = strstr(input, "\r\n\r\n");
    if (!end) return connection->filled + 1 >= INPUT ? -1 : 0;
    char *length_field = strcasestr(input, "\r\ncontent-length:");
    size_t body = length_field && length_field < end ? strtoul(length_field + 17, NULL, 10) : 0;
    size_t total = (size_t)(end + 4 - input) + body;
    if (total + 1 >= INPUT) return -1;
    if (connection->filled < total) return 0;
    char *path = strchr(input, ' ');
    int good;
    if (path && !strncmp(path + 1, "/v1/stream", 10)) {
        char *count = strstr(path, "n="), *interval = strstr(path, "us=");
        int is_late = strstr(path, "head=late") != NULL;
        good = is_late || say(connection, stream_head, sizeof stream_head - 1);
        stream(connection, count ? atol(count + 2) : 100, interval ? strtoul(interval + 3, NULL, 10) : 5000);
        connection->head_is_due = is_late;
    } else if (path && !strncmp(path + 1, "/v1/later", 9)) {
        char *wait = strstr(path, "us=");
        stream(connection, 1, wait ? strtoul(wait + 3, NULL, 10) : 20000);
        connection->is_late = good = 1;
    } else if (path && !strncmp(path + 1, "/events", 7)) {
        char count[32], text[128];
        int digits = snprintf(count, sizeof count, "%lu", events_sent);
        int length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", digits, count);
        good = say(connection, text, (size_t)length);
    } else if (path && !strncmp(path + 1, "/v1/hold", 8)) {
        good = say(connection, stream_head, sizeof stream_head - 1) && say(connection, event, event_length);
    } else if (usual_wait > 0) {
        stream(connection, 1, usual_wait);
        connection->is_late = good = 1;
    } else {
        good = say(connection, answer, answer_length);
    }
    memmove(input, input + total, connection->filled - total);
    connection->filled -= total;
    return good ? 1 : -1;
}

static void take(struct connection *connection) {
    ssize_t count = recv(connection->descriptor, connection->input + connection->filled, INPUT - 1 - connection->filled, 0);
    if (count <= 0) {
        if (count < 0 && errno == EAGAIN) return;
        return leave(connection);
    }
    connection->filled += (size_t)count;
    int answered = 1;
    while (answered == 1 && connection->filled > 0) answered = answer_one(connection);
    if (answered < 0) leave(connection);
}

/* Sends what is due; gives the time until the next is, or NULL when there is none. */
static struct timespec *play(void) {
    static struct timespec left;
    uint64_t now = now_us(), soonest = UINT64_MAX;
    for (struct connection *connection = streams.next; connection != &streams;) {
        struct connection *next = connection->next;
        int good = 1;
        while (good && connection->events_left > 0 && connection->due <= now) {
            connection->events_left--;
            if (connection->is_late) {
                good = say(connection, answer, answer_length);
                break;
            }
            events_sent++;
            connection->due += connection->interval;
            good = !connection->head_is_due || say(connection, stream_head, sizeof stream_head - 1);
            connection->head_is_due = 0;
            good = good && say(connection, event, event_length);
            if (good && connection->events_left == 0) good = say(connection, "0\r\n\r\n", 5);
        }
        if (!good) {
            leave(connection);
        } else if (connection->events_left == 0) {
            connection->next->previous = connection->previous;
            connection->previous->next = connection->next;
            connection->next = connection->previous = NULL;
        } else if (connection->due < soonest) {
            soonest = connection->due;
        }
        connection = next;
    }
    if (soonest == UINT64_MAX) return NULL;
    uint64_t wait = soonest <= now ? 0 : soonest - now;
    left = (struct timespec){.tv_sec = (time_t)(wait / 1000000), .tv_nsec = (long)(wait % 1000000) * 1000};
    return &left;
}

int main(int count, char **arguments) {
    if (count != 2 && count != 3) return fprintf(stderr, "usage: upstream PORT [US]\n"), 2;
    if (count == 3) usual_wait = strtoul(arguments[2], NULL, 10);
    prepare();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, queue = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) return perror("bind"), 1;
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = NULL}, found[256];
    epoll_ctl(queue, EPOLL_CTL_ADD, listener, &wanted);
    for (;;) {
        int ready = epoll_pwait2(queue, found, 256, play(), NULL);
        for (int index = 0; index < ready; index++) {
            struct connection *connection = found[index].data.ptr;
            if (connection) {
                take(connection);
                continue;
            }
            int descriptor;
            while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                connection = calloc(1, sizeof *connection);
                connection->descriptor = descriptor;
                setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                struct epoll_event input = {.events = EPOLLIN, .data.ptr = connection};
                epoll_ctl(queue, EPOLL_CTL_ADD, descriptor, &input);
            }
        }
    }
}
