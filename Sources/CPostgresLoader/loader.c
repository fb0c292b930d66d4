/* Each function of libpq that is used, under its own name: hands on to the library that was loaded. */
#define _GNU_SOURCE
#include "CPostgresLoader.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

#define FUNCTIONS(F) \
    F(int, PQcancel, (PGcancel *a, char *b, int c), (a, b, c)) \
    F(char *, PQcmdStatus, (PGresult *a), (a)) \
    F(char *, PQcmdTuples, (PGresult *a), (a)) \
    F(PGconn *, PQconnectdbParams, (const char *const *a, const char *const *b, int c), (a, b, c)) \
    F(PQconninfoOption *, PQconninfoParse, (const char *a, char **b), (a, b)) \
    F(int, PQconsumeInput, (PGconn *a), (a)) \
    F(int, PQenterPipelineMode, (PGconn *a), (a)) \
    F(char *, PQerrorMessage, (const PGconn *a), (a)) \
    F(PGresult *, PQexec, (PGconn *a, const char *b), (a, b)) \
    F(int, PQexitPipelineMode, (PGconn *a), (a)) \
    F(PGcancel *, PQgetCancel, (PGconn *a), (a)) \
    F(PGresult *, PQgetResult, (PGconn *a), (a)) \
    F(int, PQgetisnull, (const PGresult *a, int b, int c), (a, b, c)) \
    F(int, PQgetlength, (const PGresult *a, int b, int c), (a, b, c)) \
    F(char *, PQgetvalue, (const PGresult *a, int b, int c), (a, b, c)) \
    F(int, PQisBusy, (PGconn *a), (a)) \
    F(int, PQnfields, (const PGresult *a), (a)) \
    F(PGnotify *, PQnotifies, (PGconn *a), (a)) \
    F(int, PQntuples, (const PGresult *a), (a)) \
    F(const char *, PQparameterStatus, (const PGconn *a, const char *b), (a, b)) \
    F(PGPing, PQpingParams, (const char *const *a, const char *const *b, int c), (a, b, c)) \
    F(PGpipelineStatus, PQpipelineStatus, (const PGconn *a), (a)) \
    F(int, PQpipelineSync, (PGconn *a), (a)) \
    F(char *, PQresultErrorField, (const PGresult *a, int b), (a, b)) \
    F(char *, PQresultErrorMessage, (const PGresult *a), (a)) \
    F(ExecStatusType, PQresultStatus, (const PGresult *a), (a)) \
    F(int, PQsendPrepare, (PGconn *a, const char *b, const char *c, int d, const Oid *e), (a, b, c, d, e)) \
    F(int, PQsendQuery, (PGconn *a, const char *b), (a, b)) \
    F(int, PQsendQueryParams, (PGconn *a, const char *b, int c, const Oid *d, const char *const *e, const int *f, \
                               const int *g, int h), (a, b, c, d, e, f, g, h)) \
    F(int, PQsendQueryPrepared, (PGconn *a, const char *b, int c, const char *const *d, const int *e, const int *f, \
                                 int g), (a, b, c, d, e, f, g)) \
    F(int, PQserverVersion, (const PGconn *a), (a)) \
    F(PGVerbosity, PQsetErrorVerbosity, (PGconn *a, PGVerbosity b), (a, b)) \
    F(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn *a, PQnoticeProcessor b, void *c), (a, b, c)) \
    F(PQnoticeReceiver, PQsetNoticeReceiver, (PGconn *a, PQnoticeReceiver b, void *c), (a, b, c)) \
    F(int, PQsocket, (const PGconn *a), (a)) \
    F(ConnStatusType, PQstatus, (const PGconn *a), (a)) \
    F(PGTransactionStatusType, PQtransactionStatus, (const PGconn *a), (a))

#define PROCEDURES(F) \
    F(PQclear, (PGresult *a), (a)) \
    F(PQconninfoFree, (PQconninfoOption *a), (a)) \
    F(PQfinish, (PGconn *a), (a)) \
    F(PQfreeCancel, (PGcancel *a), (a)) \
    F(PQfreemem, (void *a), (a))

#define DECLARE(result, name, parameters, arguments) result(*name) parameters;
#define DECLARE_VOID(name, parameters, arguments) void(*name) parameters;
static struct { FUNCTIONS(DECLARE) PROCEDURES(DECLARE_VOID) } library;

static char failure[256];
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

static void *find(void *handle, const char *name) {
    void *found = dlsym(handle, name);
    if (!found && !failure[0])
        snprintf(failure, sizeof failure, "libpq.so.5 is too old, it has no %s: install libpq5 14 or newer", name);
    return found;
}

#define FIND(result, name, parameters, arguments) library.name = (result(*) parameters)find(handle, #name);
#define FIND_VOID(name, parameters, arguments) library.name = (void(*) parameters)find(handle, #name);

static void load(void) {
    void *handle = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(failure, sizeof failure, "libpq.so.5 is not installed: install libpq5 (%.120s)", dlerror());
        return;
    }
    FUNCTIONS(FIND)
    PROCEDURES(FIND_VOID)
}

const char *postgres_library_failure(void) {
    pthread_once(&loaded, load);
    return failure[0] ? failure : NULL;
}

/* Hidden, so that libpq's calls among its own functions never come this way. */
#define HIDDEN __attribute__((visibility("hidden")))
#define FORWARD(result, name, parameters, arguments) HIDDEN result name parameters { return library.name arguments; }
#define FORWARD_VOID(name, parameters, arguments) HIDDEN void name parameters { library.name arguments; }

FUNCTIONS(FORWARD)
PROCEDURES(FORWARD_VOID)
