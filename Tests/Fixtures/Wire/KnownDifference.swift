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

    /// The difference that a pair of readings shows, if it is a known one.
    package static func between(_ ours: Message?, _ theirs: Message?, refusal: String?, isToHead: Bool) -> Self? {
        if theirs == nil, refusal == "invalid HTTP method" { return .unknownMethod }
        guard let ours, var alike = theirs, ours.keepsAlive != alike.keepsAlive else { return nil }
        alike.keepsAlive = ours.keepsAlive
        guard ours == alike else { return nil }
        let names = ours.fields.map { $0.lowercased() }
        let hasFraming = names.contains { $0.hasPrefix("content-length:") || $0.hasPrefix("transfer-encoding:") }
        if isToHead, !hasFraming, ours.keepsAlive { return .answerToHeadWithoutLength }
        let options = names.filter { $0.hasPrefix("connection:") }.joined()
        let hasBoth = options.contains("keep-alive") && options.contains("close")
        return ours.version == "1.0" && hasBoth && !ours.keepsAlive ? .closeAndKeepAlive : nil
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
        case .interimThatCloses:
            (nil, "HTTP/1.1 103 X\r\nConnection: close\r\n\r\nHTTP/1.1 204 X\r\n\r\n")
        }
    }
}
