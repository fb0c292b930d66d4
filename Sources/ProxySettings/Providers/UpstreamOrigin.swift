import ProxyDomain

/// Where connections to an upstream go: scheme, host and port of its address.
public struct UpstreamOrigin: Hashable, Sendable, CustomStringConvertible {
    /// Whether TLS is spoken (`https`).
    public let isTLS: Bool
    /// A name or an address without brackets, in lower case.
    public let host: String
    /// 1…65535.
    public let port: Int

    public init(isTLS: Bool, host: String, port: Int) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
    }

    /// The value of a `Host` field (RFC 9110 section 7.2): the port only when it is not the scheme's own.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }

    public var description: String { (isTLS ? "https://" : "http://") + authority }
}

/// An `http` or `https` address (RFC 3986) split into where to connect and what to put before each request's path.
public struct BaseURL: Hashable, Sendable, CustomStringConvertible {
    public let origin: UpstreamOrigin
    /// Empty, or `/` and segments without a slash at the end: `/openai`.
    public let pathPrefix: String

    public init(origin: UpstreamOrigin, pathPrefix: String = "") {
        self.origin = origin
        self.pathPrefix = pathPrefix
    }

    /// Reads an address such as `https://api.openai.com` or `http://10.0.0.5:8000/openai/`.
    ///
    /// Gives `nil` for another scheme, for user names, queries and fragments, for paths that ``RequestPath`` refuses,
    /// and for anything that is no address.
    public init?(_ text: String) {
        guard let (isTLS, rest) = Self.scheme(of: text) else { return nil }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<end]
        var host = authority
        var port = isTLS ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = PortText.parse(authority[authority.index(after: colon)...], allowsZero: false) else {
                return nil
            }
            port = number
            host = authority[..<colon]
        }
        guard let name = HostText.parse(host) else { return nil }
        var path = rest[end...]
        while path.last == "/" { path.removeLast() }
        guard path.isEmpty || RequestPath.isPlain(path.utf8), !path.contains("?") else { return nil }
        origin = UpstreamOrigin(isTLS: isTLS, host: name.lowercased(), port: port)
        pathPrefix = String(path)
    }

    private static func scheme(of text: String) -> (isTLS: Bool, rest: Substring)? {
        guard let end = text.firstIndex(of: ":"), text[end...].hasPrefix("://") else { return nil }
        switch text[..<end].lowercased() {
        case "https": return (true, text[end...].dropFirst(3))
        case "http": return (false, text[end...].dropFirst(3))
        default: return nil
        }
    }

    public var description: String { origin.description + pathPrefix }
}
