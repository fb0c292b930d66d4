/// Where a server is: an http or https URL taken apart (RFC 3986).
struct ManagementAddress: Hashable, Sendable {
    let isTLS: Bool
    /// A name or a literal address, without the brackets of an IPv6 one.
    let host: String
    /// 1…65535.
    let port: Int
    /// What stands before every path: nothing, or what begins with `/` and doesn't end with it.
    let prefix: String

    /// - Returns: `nil` for anything but `http(s)://host[:port][/prefix]`.
    init?(_ url: String) {
        let lowered = url.lowercased()
        guard let scheme = ["http://", "https://"].first(where: { lowered.hasPrefix($0) }) else { return nil }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        while path.last == "/" { path.removeLast() }
        guard let place = Self.place(authority), path.utf8.allSatisfy(Self.isPathByte) else { return nil }
        isTLS = scheme == "https://"
        host = place.host
        port = place.port ?? (isTLS ? 443 : 80)
        prefix = String(path)
    }

    /// `host:port` as the `Host` field has it.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }

    private static func place(_ authority: Substring) -> (host: String, port: Int?)? {
        let isLiteral = authority.first == "["
        var name = authority
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !isLiteral || authority[..<colon].last == "]" {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number) else {
                return nil
            }
            port = number
            name = authority[..<colon]
        }
        if isLiteral {
            guard name.last == "]" else { return nil }
            name = name.dropFirst().dropLast()
        }
        guard !name.isEmpty, isLiteral || !name.contains(":"), name.utf8.allSatisfy(isHostByte) else { return nil }
        return (String(name), port)
    }

    /// Visible, and not what ends a path.
    private static func isPathByte(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        isPathByte(byte) && !"@[]/\\%".utf8.contains(byte)
    }
}
