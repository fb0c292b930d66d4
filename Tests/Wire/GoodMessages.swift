import WireFixtures
import ProxyWire

/// A message that must be read, and how.
struct GoodMessage: Sendable, CustomStringConvertible {
    let id: String
    let text: String
    let reading: String
    var answering = RequestMethod.get
    /// Bytes after the head that belong to whatever comes next.
    var rest = ""

    var description: String { id }
    var bytes: [UInt8] { octets(text + rest) }
}

let goodRequests: [GoodMessage] = [
    GoodMessage(
        id: "the smallest", text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        reading: "GET get / / 1.1 none keeps host[Host=a]"),
    GoodMessage(
        id: "an API call",
        text:
            "POST /v1/chat/completions?a=1&b=%20 HTTP/1.1\r\nHost: api.example.com:8080\r\nAuthorization: Bearer sk-x\r\n"
            + "content-type:application/json\r\nContent-Length: 17 \r\nX-Stainless-OS:\tLinux\t \r\n\r\n",
        reading: "POST post /v1/chat/completions?a=1&b=%20 /v1/chat/completions?a=1&b=%20 1.1 length(17) keeps "
            + "host[Host=api.example.com:8080] authorization[Authorization=Bearer sk-x] "
            + "contentType[content-type=application/json] contentLength[Content-Length=17] other[X-Stainless-OS=Linux]",
        rest: "{\"model\":\"gpt-x\"}GET /"),
    GoodMessage(
        id: "one empty line before it", text: "\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        reading: "GET get /a /a 1.1 none keeps host[Host=a]"),
    GoodMessage(
        id: "1.0 without Host closes", text: "GET / HTTP/1.0\r\n\r\n", reading: "GET get / / 1.0 none closes"),
    GoodMessage(
        id: "1.0 that keeps alive", text: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        reading: "GET get / / 1.0 none keeps connection[Connection=Keep-Alive]"),
    GoodMessage(
        id: "1.0 does not expect or upgrade",
        text: "GET / HTTP/1.0\r\nExpect: 100-continue\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        reading: "GET get / / 1.0 none closes expect[Expect=100-continue] upgrade[Upgrade=x] "
            + "connection[Connection=upgrade]"),
    GoodMessage(
        id: "close wins over keep-alive",
        text: "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: , CLOSE ,\r\n\r\n",
        reading: "GET get / / 1.1 none closes host[Host=a] connection[Connection=keep-alive] "
            + "connection[Connection=, CLOSE ,]"),
    GoodMessage(
        id: "chunked in any case", text: "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ChunkeD\r\n\r\n",
        reading: "PUT put / / 1.1 chunked keeps host[Host=a] transferEncoding[Transfer-Encoding=ChunkeD]",
        rest: "0\r\n\r\n"),
    GoodMessage(
        id: "a length of zero", text: "PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        reading: "PATCH patch / / 1.1 length(0) keeps host[Host=a] contentLength[Content-Length=0]"),
    GoodMessage(
        id: "the longest length", text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n",
        reading: "POST post / / 1.1 length(9223372036854775807) keeps host[Host=a] "
            + "contentLength[Content-Length=9223372036854775807]"),
    GoodMessage(
        id: "absolute-form", text: "DELETE HTTP://A.example:80/x/y?q=/z HTTP/1.1\r\nHost: a.Example:80\r\n\r\n",
        reading: "DELETE delete HTTP://A.example:80/x/y?q=/z /x/y?q=/z 1.1 none keeps host[Host=a.Example:80]"),
    GoodMessage(
        id: "absolute-form without a path", text: "GET https://[::1] HTTP/1.1\r\nHost: [::1]\r\n\r\n",
        reading: "GET get https://[::1] / 1.1 none keeps host[Host=[::1]]"),
    GoodMessage(
        id: "absolute-form with a query only", text: "GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\n",
        reading: "GET get http://a?b /?b 1.1 none keeps host[Host=a]"),
    GoodMessage(
        id: "absolute-form over 1.0 without Host", text: "GET http://a/ HTTP/1.0\r\n\r\n",
        reading: "GET get http://a/ / 1.0 none closes"),
    GoodMessage(
        id: "asterisk-form", text: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        reading: "OPTIONS options * * 1.1 none keeps host[Host=a]"),
    GoodMessage(
        id: "authority-form", text: "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
        reading: "CONNECT connect a:443  1.1 none keeps host[Host=a:443]"),
    GoodMessage(
        id: "an empty query and odd path bytes", text: "GET //a/../%00/{x}|\"~? HTTP/1.1\r\nHost: a\r\n\r\n",
        reading: "GET get //a/../%00/{x}|\"~? //a/../%00/{x}|\"~? 1.1 none keeps host[Host=a]"),
    GoodMessage(
        id: "methods are case-sensitive", text: "get / HTTP/1.1\r\nHost: a\r\n\r\n",
        reading: "get other / / 1.1 none keeps host[Host=a]"),
    GoodMessage(
        id: "any token is a method", text: "M-SEARCH!# / HTTP/1.1\r\nHost: a\r\n\r\n",
        reading: "M-SEARCH!# other / / 1.1 none keeps host[Host=a]"),
    GoodMessage(
        id: "expects 100", text: "TRACE / HTTP/1.1\r\nHOST: a\r\nexpect: 100-Continue\r\n\r\n",
        reading: "TRACE trace / / 1.1 none keeps expects host[HOST=a] expect[expect=100-Continue]"),
    GoodMessage(
        id: "wants an upgrade",
        text: "HEAD / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: x, Upgrade\r\n\r\n",
        reading: "HEAD head / / 1.1 none keeps upgrades host[Host=a] upgrade[Upgrade=websocket] "
            + "connection[Connection=x, Upgrade]"),
    GoodMessage(
        id: "an upgrade that Connection does not name", text: "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n",
        reading: "GET get / / 1.1 none keeps host[Host=a] upgrade[Upgrade=h2c]"),
    GoodMessage(
        id: "Connection names fields, but none that matters",
        text: "POST / HTTP/1.1\r\nX-Hop: 1\r\nHost: a\r\nAuthorization: k\r\nContent-Length: 1\r\n"
            + "Connection: x-hop, host, authorization, content-length, TE\r\nTE: trailers\r\nX_Hop: 2\r\nx-HOP:\r\n\r\n",
        reading:
            "POST post / / 1.1 length(1) keeps namedByConnection[X-Hop=1] host[Host=a] authorization[Authorization=k]"
            + " contentLength[Content-Length=1] connection[Connection=x-hop, host, authorization, content-length, TE]"
            + " te[TE=trailers] other[X_Hop=2] namedByConnection[x-HOP=]"),
    GoodMessage(
        id: "odd values",
        text: "GET / HTTP/1.1\r\nHost: a\r\na:\r\nb: \t \r\nc: x\ty \u{80}\u{FF} longer than eight\r\n\r\n",
        reading:
            "GET get / / 1.1 none keeps host[Host=a] other[a=] other[b=] other[c=x\ty \u{80}\u{FF} longer than eight]"),
]

let goodResponses: [GoodMessage] = [
    GoodMessage(
        id: "with a length", text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nserver: x\r\nDate: y\r\n\r\n",
        reading: "200 (OK) 1.1 length(3) keeps contentLength[Content-Length=3] server[server=x] date[Date=y]",
        rest: "abc"),
    GoodMessage(
        id: "chunked", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        reading: "200 (OK) 1.1 chunked keeps transferEncoding[Transfer-Encoding=chunked]"),
    GoodMessage(id: "until the end", text: "HTTP/1.1 200 OK\r\n\r\n", reading: "200 (OK) 1.1 untilClose closes"),
    GoodMessage(id: "no reason", text: "HTTP/1.1 404 \r\n\r\n", reading: "404 () 1.1 untilClose closes"),
    GoodMessage(id: "no space either", text: "HTTP/1.1 404\r\n\r\n", reading: "404 () 1.1 untilClose closes"),
    GoodMessage(
        id: "an odd reason", text: "HTTP/1.0 599  \tno \u{E4}pfel today\r\n\r\n",
        reading: "599 ( \tno \u{E4}pfel today) 1.0 untilClose closes"),
    GoodMessage(
        id: "1.0 that keeps alive", text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n",
        reading: "200 (OK) 1.0 length(1) keeps connection[Connection=keep-alive] contentLength[Content-Length=1]"),
    GoodMessage(
        id: "that closes", text: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n",
        reading: "200 (OK) 1.1 length(1) closes connection[Connection=close] contentLength[Content-Length=1]"),
    GoodMessage(
        id: "to HEAD", text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        reading: "200 (OK) 1.1 none keeps contentLength[Content-Length=9]", answering: .head),
    GoodMessage(
        id: "to HEAD, chunked", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        reading: "200 (OK) 1.1 none keeps transferEncoding[Transfer-Encoding=chunked]", answering: .head),
    GoodMessage(
        id: "304 with a length", text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        reading: "304 (Not Modified) 1.1 none keeps contentLength[Content-Length=9]"),
    GoodMessage(id: "204", text: "HTTP/1.1 204 No Content\r\n\r\n", reading: "204 (No Content) 1.1 none keeps"),
    GoodMessage(
        id: "204 with a length of zero", text: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        reading: "204 (No Content) 1.1 none keeps contentLength[Content-Length=0]"),
    GoodMessage(
        id: "205 is framed as it says", text: "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n",
        reading: "205 (Reset) 1.1 length(0) keeps contentLength[Content-Length=0]"),
    GoodMessage(
        id: "100", text: "HTTP/1.1 100 Continue\r\n\r\n", reading: "100 (Continue) 1.1 none keeps interim",
        rest: "HTTP/1.1 200 OK\r\n"),
    GoodMessage(
        id: "103 with fields", text: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        reading: "103 (Early Hints) 1.1 none keeps interim other[Link=</a>]"),
    GoodMessage(
        id: "101 ends HTTP", text: "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        reading: "101 (Switching) 1.1 none closes upgrade[Upgrade=x] connection[Connection=upgrade]"),
    GoodMessage(
        id: "2xx to CONNECT ends HTTP", text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        reading: "200 (OK) 1.1 none closes contentLength[Content-Length=5]", answering: .connect),
    GoodMessage(
        id: "4xx to CONNECT has a body", text: "HTTP/1.1 407 No\r\nContent-Length: 5\r\nProxy-Authenticate: x\r\n\r\n",
        reading: "407 (No) 1.1 length(5) keeps contentLength[Content-Length=5] proxyAuthenticate[Proxy-Authenticate=x]",
        answering: .connect),
]

/// A chunked body that must be read, and what it carries.
struct GoodBody: Sendable, CustomStringConvertible {
    let id: String
    let text: String
    let payload: String
    var rest = ""

    var description: String { id }
    var bytes: [UInt8] { octets(text + rest) }
}

let goodBodies: [GoodBody] = [
    GoodBody(id: "empty", text: "0\r\n\r\n", payload: ""),
    GoodBody(id: "one chunk", text: "5\r\nhello\r\n0\r\n\r\n", payload: "hello", rest: "GET / HTTP/1.1"),
    GoodBody(id: "data that looks like framing", text: "7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n", payload: "0\r\n\r\n0\r"),
    GoodBody(
        id: "several, zeros before sizes, both cases",
        text: "00a\r\n0123456789\r\n0B\r\nabcdefghijk\r\n1\r\n\0\r\n000\r\n\r\n",
        payload: "0123456789abcdefghijk\0"),
    GoodBody(
        id: "extensions", text: "1;a\r\nx\r\n1;a=b;c=\"d;\\\"\t\u{80}\";e\r\ny\r\n0;last=1\r\n\r\n", payload: "xy"),
    GoodBody(
        id: "trailers", text: "1\r\nx\r\n0\r\nX-Sum: 1\r\nServer-Timing:\r\nDate: x\r\n\r\n", payload: "x", rest: "\r\n"
    ),
]
