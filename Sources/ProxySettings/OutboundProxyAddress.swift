/// An HTTP proxy as `HTTPS_PROXY` names it: `http://host:port`, with a user's name and password before the host or without.
public struct OutboundProxyAddress: Hashable, Sendable {
    public let host: String
    public let port: Int
    /// `name:password`, escapes undone; `nil` for none.
    public let credential: Secret?

    /// Gives `nil` for another scheme, for a path, and for anything that is no address.
    public init?(_ text: String) {
        let scheme = "http://"
        guard text.lowercased().hasPrefix(scheme) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let end = rest.lastIndex(of: "@")
        let place = end.map { rest[rest.index(after: $0)...] } ?? rest
        guard let url = BaseURL(scheme + place), url.pathPrefix.isEmpty else { return nil }
        (host, port) = (url.origin.host, url.origin.port)
        guard let end else {
            credential = nil
            return
        }
        guard let decoded = Self.decoded(rest[..<end]), !decoded.isEmpty else { return nil }
        credential = Secret(decoded)
    }

    /// A host that is reached without the proxy, in lower case: an address, a name, which stands for all below it too, or `*`. `nil` for what
    /// would never be one, such as a range or a host with a port.
    static func exception(_ text: String) -> String? {
        var name = text.lowercased()[...]
        if name == "*" { return "*" }
        if name.hasPrefix("*.") { name = name.dropFirst() }
        let isBracketed = name.first == "[" && name.last == "]"
        if isBracketed { name = name.dropFirst().dropLast() }
        let isIPv6 = name.count { $0 == ":" } > 1
        let isSpelt = name.utf8.allSatisfy { byte in
            let isCommon = (0x30...0x39).contains(byte) || byte == UInt8(ascii: ".")
            let isHex = (0x61...0x66).contains(byte) || byte == UInt8(ascii: ":")
            let isOfNames = (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            return isCommon || (isIPv6 ? isHex : isOfNames)
        }
        return isSpelt && (isIPv6 || !isBracketed) && name.contains(where: { $0 != "." }) ? String(name) : nil
    }

    /// Undoes percent signs (RFC 3986 section 2.1).
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F } ? String(validating: bytes, as: UTF8.self) : nil
    }
}
