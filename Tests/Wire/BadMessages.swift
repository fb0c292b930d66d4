import WireFixtures
import ProxyWire

/// A message that must be refused, and why.
struct BadMessage: Sendable, CustomStringConvertible {
    let text: String
    let fault: WireFault
    var limits = WireLimits()
    var answering = RequestMethod.get

    init(_ text: String, _ fault: WireFault, limits: WireLimits = WireLimits(), answering: RequestMethod = .get) {
        self.text = text
        self.fault = fault
        self.limits = limits
        self.answering = answering
    }

    var description: String { "\(fault): \(text.debugDescription.prefix(80))" }
    var bytes: [UInt8] { octets(text) }

    /// A GET that is sound but for `fields`.
    static func fields(_ fields: String, _ fault: WireFault) -> Self {
        BadMessage("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n", fault)
    }

    /// A request that is sound but for its first line.
    static func line(_ line: String, _ fault: WireFault) -> Self {
        BadMessage("\(line)\r\nHost: a\r\n\r\n", fault)
    }

    /// A request that is sound but for its host.
    static func host(_ host: String, _ fault: WireFault) -> Self {
        BadMessage("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n", fault)
    }

    /// A response that is sound but for `fields`.
    static func answer(_ fields: String, _ fault: WireFault, status: Int = 200) -> Self {
        BadMessage("HTTP/1.1 \(status) X\r\n\(fields)\r\n\r\n", fault)
    }
}

let badRequests: [BadMessage] =
    [
        BadMessage(
            "GET / HTTP/1.1\r\nHost: a\r\nx: 12345678\r\n\r\n", .headTooLarge, limits: WireLimits(maxHeadBytes: 39)),
        BadMessage("GET / HTTP/1.1\r\nHost: a\r\nx: 1\r\n\r\n", .headTooLarge, limits: WireLimits(maxHeadBytes: 32)),
        BadMessage(String(repeating: "A", count: 70000), .headTooLarge),
        BadMessage("GET / HTTP/1.1\r\nHost: a\r\nx: 1\r\n\r\n", .tooManyFields, limits: WireLimits(maxFields: 1)),
        BadMessage(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: a,b,c\r\n\r\n", .tooManyFields, limits: WireLimits(maxFields: 2)),
        BadMessage("GET /abc HTTP/1.1\r\nHost: a\r\n\r\n", .targetTooLong, limits: WireLimits(maxTargetBytes: 3)),
    ] + [
        .line("GET  / HTTP/1.1", .malformedRequestLine), .line("GET /  HTTP/1.1", .malformedRequestLine),
        .line("GET / HTTP/1.1 ", .malformedRequestLine), .line(" GET / HTTP/1.1", .malformedRequestLine),
        .line("GET\t/ HTTP/1.1", .malformedRequestLine), .line("GET /\tHTTP/1.1", .malformedRequestLine),
        .line("GET /", .malformedRequestLine), .line("GET", .malformedRequestLine),
        .line("GET ", .malformedRequestLine),
        .line("GET HTTP/1.1", .malformedRequestLine), .line("GET /a b HTTP/1.1", .malformedRequestLine),
        .line("G\u{E4}T / HTTP/1.1", .malformedRequestLine), .line("(GET) / HTTP/1.1", .malformedRequestLine),
        .line("GET / http/1.1", .malformedRequestLine), .line("GET / HTTP/1.10", .malformedRequestLine),
        .line("GET / HTTP/11.1", .malformedRequestLine), .line("GET / HTTP/1.x", .malformedRequestLine),
        .line("GET / HTTP/ 1.1", .malformedRequestLine), .line("\r\n\r\nGET / HTTP/1.1", .malformedRequestLine),
        .line("\u{16}\u{3}\u{1}", .malformedRequestLine),
        .line("GET / HTTP/2.0", .unsupportedVersion), .line("PRI * HTTP/2.0", .unsupportedVersion),
        .line("GET / HTTP/0.9", .unsupportedVersion), .line("GET / HTTP/1.2", .unsupportedVersion),
        .line("GET /\u{7F} HTTP/1.1", .malformedTarget), .line("GET /\u{E4} HTTP/1.1", .malformedTarget),
        .line("GET /\t HTTP/1.1", .malformedTarget), .line("GET /a#b HTTP/1.1", .malformedTarget),
        .line("GET * HTTP/1.1", .malformedTarget), .line("OPTIONS ** HTTP/1.1", .malformedTarget),
        .line("GET a HTTP/1.1", .malformedTarget), .line("GET a/b HTTP/1.1", .malformedTarget),
        .line("GET ?a HTTP/1.1", .malformedTarget), .line("GET a:80 HTTP/1.1", .malformedTarget),
        .line("GET ftp://a/ HTTP/1.1", .malformedTarget), .line("GET http:/a HTTP/1.1", .malformedTarget),
        .line("GET http: HTTP/1.1", .malformedTarget), .line("GET http:// HTTP/1.1", .malformedTarget),
        .line("GET http:///a HTTP/1.1", .malformedTarget), .line("GET http://u@a/ HTTP/1.1", .malformedTarget),
        .line("GET http://a:b/ HTTP/1.1", .malformedTarget), .line("CONNECT a HTTP/1.1", .malformedTarget),
        .line("CONNECT / HTTP/1.1", .malformedTarget), .line("CONNECT http://a:80/ HTTP/1.1", .malformedTarget),
        .line("CONNECT u@a:1 HTTP/1.1", .malformedTarget), .line("CONNECT :1 HTTP/1.1", .malformedTarget),
        .line("GET http://b/ HTTP/1.1", .authorityMismatch), .line("GET http://a:80/ HTTP/1.1", .authorityMismatch),
        .line("GET https://b HTTP/1.1", .authorityMismatch), .line("CONNECT b:1 HTTP/1.1", .authorityMismatch),
        .line("GET / HTTP/1.1\r", .bareCarriageReturn), .line("GET /\r HTTP/1.1", .bareCarriageReturn),
        .line("G\rET / HTTP/1.1", .bareCarriageReturn), .line("\rGET / HTTP/1.1", .bareCarriageReturn),
        .line("GET / HTTP/1.1\n", .bareLineFeed), .line("GET / HTTP\n/1.1", .bareLineFeed),
        .line("\nGET / HTTP/1.1", .bareLineFeed), .line("\r\n\nGET / HTTP/1.1", .bareLineFeed),
        .line("GET /\0 HTTP/1.1", .nulByte), .line("\0GET / HTTP/1.1", .nulByte), .line("GET / HTTP/1.\0", .nulByte),
    ] + [
        .fields("x: a\rb", .bareCarriageReturn), .fields("x\r: a", .bareCarriageReturn),
        .fields("\rx: a", .bareCarriageReturn),
        .fields("x: a\r\r\ny: b", .bareCarriageReturn), .fields("x: a\r", .bareCarriageReturn),
        .fields("x: a\nb: c", .bareLineFeed), .fields("x: a\n", .bareLineFeed), .fields("\nx: a", .bareLineFeed),
        .fields("x: a\0", .nulByte), .fields("x\0y: a", .nulByte), .fields("\0", .nulByte),
        .fields("x:\0 a long value", .nulByte),
        .fields("x: a\r\n b", .obsoleteFolding), .fields("x: a\r\n\tb: c", .obsoleteFolding),
        .fields(" x: a", .obsoleteFolding),
        .fields("x:\r\n ", .obsoleteFolding),
        .fields("x : a", .whitespaceBeforeColon), .fields("Content-Length\t: 5", .whitespaceBeforeColon),
        .fields("Transfer-Encoding \t : chunked", .whitespaceBeforeColon),
        .fields(": a", .malformedFieldName), .fields("x", .malformedFieldName), .fields("x y: a", .malformedFieldName),
        .fields("x(: a", .malformedFieldName), .fields("x\u{E4}: a", .malformedFieldName),
        .fields("x ", .malformedFieldName),
        .fields("x\u{7F}: a", .malformedFieldName), .fields("\"x\": a", .malformedFieldName),
        .fields("Content-Length 5", .malformedFieldName), .fields("x@y: a", .malformedFieldName),
        .fields("x: a\u{1}", .malformedFieldValue), .fields("x: \u{B}", .malformedFieldValue),
        .fields("x: a long value with \u{7F}", .malformedFieldValue),
        .fields("x: \u{1B}[0m a long value", .malformedFieldValue),
        .fields("x: \ta tab and\u{1F}then", .malformedFieldValue), .fields("Connection: a b", .malformedFieldValue),
        .fields("Connection: close;x", .malformedFieldValue), .fields("Connection: \"close\"", .malformedFieldValue),
    ] + [
        .fields("Content-Length: 5\r\nContent-Length: 5", .conflictingLength),
        .fields("Content-Length: 5\r\ncontent-length: 6", .conflictingLength),
        .fields("Content-Length: 5, 5", .conflictingLength), .fields("Content-Length: 5,6", .conflictingLength),
        .fields("Content-Length:", .malformedLength), .fields("Content-Length: +5", .malformedLength),
        .fields("Content-Length: -1", .malformedLength), .fields("Content-Length: 0x5", .malformedLength),
        .fields("Content-Length: 5 5", .malformedLength), .fields("Content-Length: 5;", .malformedLength),
        .fields("Content-Length:\t5", .malformedLength), .fields("Content-Length: 5\t", .malformedLength),
        .fields("Transfer-Encoding: \tchunked", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: chunked \t", .unsupportedTransferEncoding),
        .fields("Content-Length: 1_0", .malformedLength), .fields("Content-Length: 05", .malformedLength),
        .fields("Content-Length: 00", .malformedLength), .fields("Content-Length: 5.0", .malformedLength),
        .fields("Content-Length: 9223372036854775808", .malformedLength),
        .fields("Content-Length: 18446744073709551621", .malformedLength),
        .fields("Content-Length: \u{B2}", .malformedLength),
        .fields("Content-Length: 5\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
        .fields("Transfer-Encoding: chunked\r\nContent-Length: 5", .lengthAndTransferEncoding),
        .fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding:", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: gzip", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: gzip, chunked", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: chunked, identity", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: chunked,", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: xchunked", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: \"chunked\"", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: chunked;a=b", .unsupportedTransferEncoding),
        .fields("Transfer-Encoding: identity", .unsupportedTransferEncoding),
        BadMessage("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .unsupportedTransferEncoding),
        BadMessage("GET / HTTP/1.1\r\n\r\n", .missingHost),
        BadMessage("GET http://a/ HTTP/1.1\r\nx: a\r\n\r\n", .missingHost),
        .fields("Host: a", .duplicateHost), .fields("hOST: b", .duplicateHost),
        BadMessage("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .duplicateHost),
        .host("", .malformedHost), .host("a b", .malformedHost), .host("a,b", .malformedHost),
        .host("a/b", .malformedHost),
        .host("u@a", .malformedHost), .host("a:", .malformedHost), .host("a:x", .malformedHost),
        .host("a:80:80", .malformedHost),
        .host("a:65536", .malformedHost), .host("a:000080", .malformedHost), .host(":80", .malformedHost),
        .host("[::1", .malformedHost), .host("[]", .malformedHost), .host("[::1]x", .malformedHost),
        .host("::1", .malformedHost),
        .host("[g::1]", .malformedHost), .host("a%2", .malformedHost), .host("a%zz", .malformedHost),
        .host("\u{E4}", .malformedHost),
        .host("http://a", .malformedHost), .host("a?b", .malformedHost), .host("a\\b", .malformedHost),
        .host("<a>", .malformedHost),
    ]

let badResponses: [BadMessage] =
    [
        BadMessage("HTTP/1.1 2000 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1 20 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1 099 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1 600 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1  200 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1\t200 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1 +20 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1 200\tOK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1 200 O\u{1}K\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1.1\r\n\r\n", .malformedStatusLine),
        BadMessage("Http/1.1 200 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("\r\nHTTP/1.1 200 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("ICY 200 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/1,1 200 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/2 200 OK\r\n\r\n", .malformedStatusLine),
        BadMessage("HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion),
        BadMessage("HTTP/1.1 200 O\rK\r\n\r\n", .bareCarriageReturn),
        BadMessage("HTTP/1.1 200 OK\n\r\n", .bareLineFeed),
        BadMessage("\nHTTP/1.1 200 OK\r\n\r\n", .bareLineFeed), BadMessage("HTTP/1.1 200 O\0K\r\n\r\n", .nulByte),
        BadMessage("HTTP/1.1 200 OK\r\nx: 123\r\n\r\n", .headTooLarge, limits: WireLimits(maxHeadBytes: 26)),
        BadMessage("HTTP/1.1 200 OK\r\nx: 1\r\ny: 2\r\n\r\n", .tooManyFields, limits: WireLimits(maxFields: 1)),
    ] + [
        .answer("Content-Length: 5\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
        .answer("Content-Length: 5\r\nContent-Length: 5", .conflictingLength),
        .answer("Content-Length: x", .malformedLength),
        .answer("Transfer-Encoding: gzip", .unsupportedTransferEncoding),
        .answer("Transfer-Encoding: chunked, gzip", .unsupportedTransferEncoding),
        .answer("Transfer-Encoding: chunked", .unsupportedTransferEncoding, status: 204),
        .answer("Transfer-Encoding: chunked", .unsupportedTransferEncoding, status: 100),
        .answer("Content-Length: 5", .malformedLength, status: 204),
        .answer("Content-Length: 5", .malformedLength, status: 103),
        .answer("x : a", .whitespaceBeforeColon), .answer("x: a\r\n b", .obsoleteFolding),
        .answer("x", .malformedFieldName),
        .answer("x: \u{1}", .malformedFieldValue),
        BadMessage("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .unsupportedTransferEncoding),
        BadMessage("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", .conflictingLength, answering: .head),
    ]

private let small = WireLimits(maxChunkExtensionBytes: 4, maxTrailerBytes: 8)

let badBodies: [BadMessage] =
    [
        BadMessage("\r\n", .malformedChunkSize), BadMessage("x\r\n", .malformedChunkSize),
        BadMessage("0x5\r\n", .malformedChunkSize),
        BadMessage("+5\r\n", .malformedChunkSize), BadMessage("-5\r\n", .malformedChunkSize),
        BadMessage(" 5\r\n", .malformedChunkSize),
        BadMessage("5 \r\n", .malformedChunkSize), BadMessage("5 ;a\r\n", .malformedChunkSize),
        BadMessage(";a\r\n", .malformedChunkSize),
        BadMessage("5\t\r\n", .malformedChunkSize), BadMessage("5\0\r\n", .malformedChunkSize),
        BadMessage("5_0\r\n", .malformedChunkSize),
        BadMessage("8000000000000000\r\n", .malformedChunkSize),
        BadMessage("10000000000000005\r\n", .malformedChunkSize),
        BadMessage("5\n", .bareLineFeed), BadMessage("\n", .bareLineFeed), BadMessage("5;a\nx", .bareLineFeed),
        BadMessage("5;a=\"\n", .bareLineFeed), BadMessage("5;\n", .bareLineFeed),
        BadMessage("5\rx", .bareCarriageReturn),
        BadMessage("5\r\r\n", .bareCarriageReturn), BadMessage("5;a\r;b\r\n", .bareCarriageReturn),
        BadMessage("5\r\nhelloX", .malformedChunk), BadMessage("5\r\nhello\n", .malformedChunk),
        BadMessage("5\r\nhello\r5", .malformedChunk),
        BadMessage("5\r\nhello\rX", .malformedChunk), BadMessage("5;\r\n", .malformedChunk),
        BadMessage("5;;a\r\n", .malformedChunk),
        BadMessage("5;=b\r\n", .malformedChunk), BadMessage("5;a=\r\n", .malformedChunk),
        BadMessage("5; a\r\n", .malformedChunk),
        BadMessage("5;a =b\r\n", .malformedChunk), BadMessage("5;a=b c\r\n", .malformedChunk),
        BadMessage("5;a=\"b\"c\r\n", .malformedChunk),
        BadMessage("5;a=\"\r\"\r\n", .malformedChunk), BadMessage("5;a=\"\\\u{1}\"\r\n", .malformedChunk),
        BadMessage("5;a=\u{80}\r\n", .malformedChunk), BadMessage("5;a=b=c\r\n", .malformedChunk),
        BadMessage("5;\0\r\n", .malformedChunk),
        BadMessage("5;abcd\r\n", .chunkExtensionTooLong, limits: small),
        BadMessage("5;a;b;\r\n", .chunkExtensionTooLong, limits: small),
        BadMessage("5;" + String(repeating: "a", count: 256) + "\r\n", .chunkExtensionTooLong),
        BadMessage("0\r\na: b\r\nc\r\n\r\n", .trailersTooLarge, limits: small),
        BadMessage("0\r\nabcdefghi", .trailersTooLarge, limits: small),
        BadMessage("0\r\na: b\r\n\r\n", .trailersTooLarge, limits: WireLimits(maxTrailerBytes: 7)),
        BadMessage("0\r\na : b\r\n\r\n", .whitespaceBeforeColon), BadMessage("0\r\n a: b\r\n\r\n", .obsoleteFolding),
        BadMessage("0\r\na\r\n\r\n", .malformedFieldName), BadMessage("0\r\na: \u{1}\r\n\r\n", .malformedFieldValue),
        BadMessage("0\r\na: b\n\r\n", .bareLineFeed), BadMessage("0\r\n\n", .bareLineFeed),
        BadMessage("0\r\na: b\rc: d\r\n\r\n", .bareCarriageReturn),
        BadMessage("0\r\na: \0\r\n\r\n", .nulByte), BadMessage("0\r\nGET / HTTP/1.1\r\n\r\n", .malformedFieldName),
    ]
    + [
        "Content-Length: 5", "transfer-encoding: chunked", "Host: a", "Authorization: x", "X-Api-Key: x",
        "Connection: close",
        "Content-Type: x", "Content-Encoding: gzip", "Trailer: x", "TE: x", "Upgrade: x", "Expect: x",
        "Proxy-Authorization: x",
        "X-Forwarded-For: x", "Origin: x", "Keep-Alive: x", "Cookie: x", "Set-Cookie: x", "Cache-Control: x",
        "Content-Range: x",
        "Location: x", "Range: x", "Max-Forwards: 1", "WWW-Authenticate: x", "Access-Control-Allow-Origin: *",
    ].map { BadMessage("0\r\n\($0)\r\n\r\n", .forbiddenTrailer) }
