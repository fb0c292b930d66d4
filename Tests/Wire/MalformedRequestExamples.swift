extension RequestExample {
    typealias Lines = [(name: String, value: String)]

    /// Field sections that are no request (RFC 9113 section 8.1.1).
    static let malformed: [RequestExample] =
        pseudoFields + repeated + methods + paths + fields + ofOneConnection + names + namesByByte + values
        + valuesByByte + lengths

    private static func each(_ rule: String, _ texts: [String], _ lines: (String) -> Lines) -> [RequestExample] {
        texts.map { RequestExample("\(rule) \($0.debugDescription)", lines($0)) }
    }

    private static func request(
        method: String = "GET", scheme: String = "https", path: String = "/", authority: String = "a"
    ) -> Lines {
        [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    }

    // MARK: Pseudo-fields

    private static let pseudoFields: [RequestExample] = [
        RequestExample("8.3: no lines", []),
        RequestExample("8.3: no pseudo-fields", [("host", "a"), ("x", "1")]),
        RequestExample("8.3.1: no method", [(":scheme", "https"), (":path", "/"), (":authority", "a")]),
        RequestExample("8.3.1: no scheme", [(":method", "GET"), (":path", "/"), (":authority", "a")]),
        RequestExample("8.3.1: no path", [(":method", "GET"), (":scheme", "https"), (":authority", "a")]),
        RequestExample("8.5: CONNECT", [(":method", "CONNECT"), (":authority", "a:443")]),
        RequestExample("8.5: CONNECT with a path", request(method: "CONNECT", authority: "a:443")),
        RequestExample("8.3: unknown", [(":protocol", "websocket")] + request()),
        RequestExample("8.3: of an answer", [(":status", "200")] + request()),
        RequestExample("8.3: without a name", [(":", "x")] + request()),
        RequestExample("8.3: with two colons", [("::path", "/")] + request()),
        RequestExample("8.2.1: in upper case", [(":Path", "/")] + request().filter { $0.name != ":path" }),
        RequestExample("8.3: one that is like another", [(":paths", "/")] + request()),
        RequestExample("8.3.1: an empty scheme", request(scheme: "")),
        RequestExample("8.2.1: a scheme with a line's end", request(scheme: "https\r\n")),
        RequestExample("8.2.1: an authority with a line's end", request(authority: "a\r\nx: y")),
        RequestExample("8.2.1: an authority with LF", request(authority: "a\nb")),
        RequestExample("8.2.1: an authority with a blank behind it", request(authority: "a ")),
    ]

    private static let repeated: [RequestExample] = [":method", ":scheme", ":path", ":authority"].flatMap { name in
        let lines = request() + [("x", "1")]
        let own = lines.filter { $0.name == name }
        let empty: Lines = [(name, "")]
        return [
            RequestExample("8.3: \(name) twice", own + lines),
            RequestExample("8.3: \(name) twice, the first empty", empty + lines),
            RequestExample("8.3: \(name) twice, the last empty", lines.dropLast() + empty),
            RequestExample("8.3: \(name) behind a field", lines.filter { $0.name != name } + own),
            RequestExample("8.3: \(name) behind a field too", lines + own),
        ]
    }

    private static let methods: [RequestExample] = each(
        "8.3.1: the method",
        ["", " ", "a b", "GET /", "G\rT", "GET\r\n", "\nGET", "G\tT", "G\0T", "G\u{7F}T", "G\u{E9}T"]
    ) { request(method: $0) }

    private static let paths: [RequestExample] = each(
        "8.3.1: the path",
        [
            "", "v1", "?a", "*/", "**", "http://a/", "a.example:443", "/ ", " /", "/a b", "/a\tb", "/\r\n", "/\r\nx: y",
            "/a\nb", "/a\rb", "/\0", "/\u{1F}", "/\u{7F}", "/\u{80}", "/\u{E9}",
            "/ HTTP/1.1\r\nhost: b\r\n\r\nGET /",
        ]
    ) { request(path: $0) }

    // MARK: Fields

    private static let fields: [RequestExample] = [
        RequestExample("8.3.1: Host is not the authority", get("host", "b.example")),
        RequestExample("8.3.1: Host with a port", get("host", "a.example:443")),
        RequestExample("8.3.1: Host is empty", get("host", "")),
        RequestExample("8.3.1: the authority is empty", request(authority: "") + [("host", "a")]),
        RequestExample("8.3.1: Host twice", get("host", "a.example") + [("host", "a.example")]),
        RequestExample("8.3.1: Host twice alone", request().dropLast() + [("host", "a"), ("host", "a")]),
        RequestExample("8.2.2: te is gzip", get("te", "gzip")),
        RequestExample("8.2.2: te is more than trailers", get("te", "trailers, gzip")),
        RequestExample("8.2.2: te with a weight", get("te", "trailers;q=1")),
        RequestExample("8.2.2: te is empty", get("te", "")),
        RequestExample("8.2.2: te once as it may be, once not", get("te", "trailers") + [("te", "chunked")]),
    ]

    private static let ofOneConnection: [RequestExample] = [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    ].flatMap { name in
        each("8.2.2: \(name)", ["", "close", "chunked", "h2c", "trailers"]) { get(name, $0) }
    }

    private static let names: [RequestExample] = each(
        "8.2.1: the name", ["", "X", "Accept", "accepT", "x-Y", "Transfer-Encoding", "Host", "Content-Length"]
    ) { get($0, "v") }

    private static let namesByByte: [RequestExample] = {
        let bytes: [UInt8] = Array(0...0x20) + [0x3A] + Array(0x41...0x5A) + Array(0x7F...0xFF)
        return bytes.flatMap { byte in
            let symbol = String(Unicode.Scalar(byte))
            return each("8.2.1: the name", ["x" + symbol, symbol + "x", "x" + symbol + "y"]) { get($0, "v") }
        }
    }()

    private static let values: [RequestExample] =
        each("8.2.1: the value", [" ", " v", "v ", "  v", "v \t", "v\r\n", "v\r\ny: z", "v\r\n\r\nGET /", "v\r\n y"]) {
            get("x", $0)
        } + each("8.2.1: the cookie", ["a\r\nb", "a\n", " a"]) { get("cookie", "c") + [("cookie", $0)] }

    private static let valuesByByte: [RequestExample] = {
        let bytes: [UInt8] = Array(0...0x1F) + [0x7F]
        return bytes.flatMap { byte in
            let symbol = String(Unicode.Scalar(byte))
            // A tab may be within.
            let within = byte == 0x09 ? [] : ["v" + symbol + "v"]
            return each("8.2.1: the value", [symbol, symbol + "v", "v" + symbol] + within) { get("x", $0) }
        }
    }()

    private static let lengths: [RequestExample] =
        each(
            "8.1.1: the length",
            [
                "", "+1", "-1", "1.0", "1e3", "0x1", "1,1", "1, 1", "1 1", "one", "1\u{B2}", ":1", "/1",
                "1000000000000000000", "18446744073709551616", "99999999999999999999999",
            ]
        ) { get("content-length", $0) } + [
            RequestExample("8.1.1: two lengths", get("content-length", "1") + [("content-length", "2")]),
            RequestExample("8.1.1: a length twice", get("content-length", "1") + [("content-length", "1")]),
        ]
}
