/// A request's field section, and what it is in HTTP/1.1.
struct RequestExample: Sendable, CustomStringConvertible {
    /// The rule, and its section of RFC 9113.
    let description: String
    let lines: [(name: String, value: String)]
    /// The head without its empty line, LF for CRLF; `nil` for a malformed section.
    let text: String?

    init(_ rule: String, _ lines: [(name: String, value: String)], _ text: String? = nil) {
        description = rule
        self.lines = lines
        self.text = text
    }
}

extension RequestExample {
    static let sound = [
        RequestExample(
            "8.3.1: the pseudo-fields are the request line and Host",
            [(":method", "GET"), (":scheme", "https"), (":authority", "a.example:8443"), (":path", "/v1/models?b=c")],
            "GET /v1/models?b=c HTTP/1.1\nhost: a.example:8443\n"),
        RequestExample(
            "8.3: in any order", [(":path", "/"), (":authority", "a"), (":scheme", "http"), (":method", "DELETE")],
            "DELETE / HTTP/1.1\nhost: a\n"),
        RequestExample(
            "8.3.1: Host is the authority in another case",
            [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a.b"), ("host", "A.b")],
            "GET / HTTP/1.1\nhost: a.b\n"),
        RequestExample(
            "8.3.1: Host stands for an authority that is not there",
            [(":method", "GET"), (":scheme", "https"), (":path", "/"), ("x", "1"), ("host", "a")],
            "GET / HTTP/1.1\nhost: a\nx: 1\n"),
        RequestExample(
            "8.3.1: both may be there and the same",
            [
                (":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a"), ("x", "1"),
                ("host", "a"), ("y", "2"),
            ],
            "GET / HTTP/1.1\nhost: a\nx: 1\ny: 2\n"),
        RequestExample(
            "8.3.1: neither is for whoever reads HTTP/1.1 to judge",
            [(":method", "GET"), (":scheme", "https"), (":path", "/")], "GET / HTTP/1.1\n"),
        RequestExample(
            "8.3.1: an asterisk", [(":method", "OPTIONS"), (":scheme", "https"), (":path", "*"), (":authority", "a")],
            "OPTIONS * HTTP/1.1\nhost: a\n"),
        RequestExample(
            "8.3.1: a scheme that is neither",
            [(":method", "GET"), (":scheme", "coap"), (":path", "/"), (":authority", "a")],
            "GET / HTTP/1.1\nhost: a\n"),
        RequestExample(
            "9110 9.1: a method of one's own",
            [(":method", "M-SEARCH"), (":scheme", "http"), (":path", "/"), (":authority", "a")],
            "M-SEARCH / HTTP/1.1\nhost: a\n"),
        RequestExample(
            "8.2.1: fields as they came, in their order",
            get("b", "2") + [("a", "1: \"x\";\ty z"), ("b", ""), ("c", "\u{E9}\u{FF}")],
            getText + "b: 2\na: 1: \"x\";\ty z\nb: \nc: \u{E9}\u{FF}\n"),
        RequestExample(
            "8.2.1: every byte that a name may have", get("!#$%&'*+-.^_`|~0123456789abcxyz", "v"),
            getText + "!#$%&'*+-.^_`|~0123456789abcxyz: v\n"),
        RequestExample("8.2.2: te is trailers", get("te", "trailers"), getText + "te: trailers\n"),
        RequestExample("8.2.2: in any case", get("te", "Trailers"), getText + "te: Trailers\n"),
        RequestExample(
            "8.2.3: one cookie stays where it is", get("cookie", "a=1") + [("b", "2")], getText + "cookie: a=1\nb: 2\n"),
        RequestExample(
            "8.2.3: several are joined", get("cookie", "a=1") + [("b", "2"), ("cookie", "c=3; d=4"), ("cookie", "e")],
            getText + "b: 2\ncookie: a=1; c=3; d=4; e\n"),
        RequestExample("9110 8.6: no content", get("content-length", "0"), getText + "content-length: 0\n"),
        RequestExample(
            "9110 8.6: as much as can be", get("content-length", "999999999999999999"),
            getText + "content-length: 999999999999999999\n"),
        RequestExample(
            "names that begin as others", get("hos", "a") + [("tee", "b"), ("upgrades", "c")],
            getText + "hos: a\ntee: b\nupgrades: c\n"),
    ]

    static let getText = "GET /v1 HTTP/1.1\nhost: a.example\n"

    /// A sound request with one more field.
    static func get(_ name: String, _ value: String) -> [(name: String, value: String)] {
        [(":method", "GET"), (":scheme", "https"), (":path", "/v1"), (":authority", "a.example"), (name, value)]
    }
}
