/// Where we and swift-nio read alike bytes differently on purpose: the whole list, each with its reason and an example
/// that still shows it.
package enum KnownDifference: String, CaseIterable {
    /// llhttp has a list of methods; RFC 9110 section 9.1 allows any token, and who relays decides what is allowed.
    case unknownMethod
    /// NIO thinks that an answer to HEAD without a length lasts until the connection ends. It has no body at all
    /// (RFC 9112 section 6.3, rule 1).
    case answerToHeadWithoutLength
    /// NIO lets `keep-alive` win over `close` in an HTTP/1.0 message that has both; `close` wins (RFC 9112 section 9.3).
    case closeAndKeepAlive
    /// NIO reads nothing after an interim response with `Connection: close`. The final one is still to come (RFC 9110
    /// section 15.2), and says itself whether the connection goes on.
    case interimThatCloses
    /// NIO says of a 101 that its connection goes on. It does, with another protocol: no further message of HTTP may be expected
    /// on it (RFC 9110 section 15.2.2).
    case switchedProtocol
    /// NIO takes a tab behind a value for a part of it, and so `close` or `keep-alive` for another word. White space around a value
    /// is space or tab (RFC 9110 section 5.6.3).
    case tabBehindOption

    /// The difference that a pair of readings shows, if it is a known one.
    package static func between(_ ours: Message?, _ theirs: Message?, refusal: String?, isToHead: Bool) -> Self? {
        if theirs == nil, refusal == "invalid HTTP method" { return .unknownMethod }
        guard let ours, var alike = theirs, ours.keepsAlive != alike.keepsAlive else { return nil }
        alike.keepsAlive = ours.keepsAlive
        guard ours == alike else { return nil }
        if ours.start.hasPrefix("101"), !ours.keepsAlive { return .switchedProtocol }
        let names = ours.fields.map { $0.lowercased() }
        let hasFraming = names.contains { $0.hasPrefix("content-length:") || $0.hasPrefix("transfer-encoding:") }
        if isToHead, !hasFraming, ours.keepsAlive { return .answerToHeadWithoutLength }
        let options = names.filter { $0.hasPrefix("connection:") }.joined()
        let hasBoth = options.contains("keep-alive") && options.contains("close")
        if ours.version == "1.0", hasBoth, !ours.keepsAlive { return .closeAndKeepAlive }
        let option = ours.keepsAlive ? "keep-alive" : "close"
        return ours.version == (ours.keepsAlive ? "1.0" : "1.1") && options.contains(option) ? .tabBehindOption : nil
    }

    /// Whether what follows `message` can't be compared for a known reason.
    package static func after(_ message: Message) -> Self? {
        message.start.hasPrefix("1") && !message.keepsAlive ? .interimThatCloses : nil
    }

    /// Bytes that show it, as a request or as a response to HEAD.
    package var example: (request: String?, response: String?) {
        switch self {
        case .unknownMethod: ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", nil)
        case .answerToHeadWithoutLength: (nil, "HTTP/1.1 200 OK\r\n\r\n")
        case .closeAndKeepAlive:
            ("GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", nil)
        case .switchedProtocol: (nil, "HTTP/1.1 101 X\r\n\r\n")
        case .tabBehindOption: ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\t\r\n\r\n", nil)
        case .interimThatCloses:
            (nil, "HTTP/1.1 103 X\r\nConnection: close\r\n\r\nHTTP/1.1 204 X\r\n\r\n")
        }
    }
}
