/// Where requests go: an `http` or `https` URL taken apart (RFC 3986, RFC 9110 section 4.2).
public struct LoadTarget: Hashable, Sendable {
    /// Whether TLS is spoken there.
    public let isTLS: Bool
    /// A name or a literal address, without the brackets of an IPv6 one.
    public let host: String
    /// 1…65535.
    public let port: Int
    /// Path and query, beginning with `/`.
    public let path: String

    /// - Parameter path: replaces the path of the URL when given; must begin with `/`.
    /// - Throws: ``LoadError/malformedURL(_:)``.
    public init(url: String, path replacement: String? = nil) throws(LoadError) {
        isTLS = url.lowercased().hasPrefix("https://")
        guard isTLS || url.lowercased().hasPrefix("http://") else {
            throw .malformedURL("it doesn't begin with http:// or https://")
        }
        let rest = url.dropFirst((isTLS ? "https://" : "http://").count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let (name, written) = try Self.read(authority)
        (host, port) = (name, written ?? (isTLS ? 443 : 80))
        path = try Self.checked(replacement ?? String(rest.dropFirst(authority.count).prefix { $0 != "#" }))
    }

    /// For people: without the query, which may hold a key.
    public var displayed: String { "\(isTLS ? "https" : "http")://\(authority)\(path.prefix { $0 != "?" })" }

    /// `host:port` as the `Host` header has it.
    var authority: String {
        let bracketed = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? bracketed : "\(bracketed):\(port)"
    }

    /// - Returns: the port too, where one is written.
    private static func read(_ authority: Substring) throws(LoadError) -> (host: String, port: Int?) {
        guard !authority.contains("@") else { throw .malformedURL("user and password don't belong there") }
        var name = authority
        var port: Int?
        let isLiteral = authority.first == "["
        if let colon = authority.lastIndex(of: ":"), !isLiteral || authority[..<colon].last == "]" {
            guard let number = Int(authority[authority.index(after: colon)...]), 1...65_535 ~= number else {
                throw .malformedURL("the port is not 1…65535")
            }
            port = number
            name = authority[..<colon]
        }
        if isLiteral {
            guard name.last == "]" else { throw .malformedURL("a bracket of the address is missing") }
            name = name.dropFirst().dropLast()
        }
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x5B && $0 != 0x5D }
        guard !name.isEmpty, isPlain, isLiteral || !name.contains(":") else {
            throw .malformedURL("the host is missing")
        }
        return (String(name), port)
    }

    static func checked(_ path: String) throws(LoadError) -> String {
        let whole = path.isEmpty || path.hasPrefix("?") ? "/\(path)" : path
        guard whole.hasPrefix("/") else { throw .malformedURL("the path doesn't begin with /") }
        guard whole.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .malformedURL("the path holds a byte that must be percent-encoded")
        }
        return whole
    }
}
