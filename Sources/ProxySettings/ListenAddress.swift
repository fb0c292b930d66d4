/// Where the server listens.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A host name or an address without brackets; `nil` for every interface.
    public let host: String?
    /// 0…65535; 0 lets the system choose a free one.
    public let port: Int

    public init(host: String?, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `:8080`, `host:8080`, `127.0.0.1:8080` and `[::1]:8080`. Gives `nil` for any other text.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        guard let port = PortText.parse(text[text.index(after: colon)...], allowsZero: true) else { return nil }
        let name = text[..<colon]
        if name.isEmpty {
            self.init(host: nil, port: port)
        } else {
            guard let host = HostText.parse(name) else { return nil }
            self.init(host: host, port: port)
        }
    }

    /// The form that is read.
    public var description: String {
        guard let host else { return ":\(port)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// Port numbers in decimal.
enum PortText {
    static func parse(_ text: Substring, allowsZero: Bool) -> Int? {
        guard (1...5).contains(text.utf8.count), text.allSatisfy({ ("0"..."9").contains($0) }), let port = Int(text),
            (allowsZero ? 0 : 1) <= port, port <= 65535
        else { return nil }
        return port
    }
}

/// Host names and addresses, as they stand before the colon of a port.
enum HostText {
    /// The host, without the brackets of an IPv6 address (RFC 3986 section 3.2.2). Looks at characters only: whether
    /// the name exists is for the resolver to say.
    static func parse(_ text: Substring) -> String? {
        if text.first == "[" {
            guard text.last == "]", text.count > 3 else { return nil }
            let address = text.dropFirst().dropLast()
            let isAddress = address.utf8.allSatisfy { isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == dot }
            return isAddress && address.contains(":") ? String(address) : nil
        }
        guard !text.isEmpty, text.utf8.count <= 253 else { return nil }
        let labels = text.utf8.split(separator: dot, omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.allSatisfy(isNameByte) && label.first != UInt8(ascii: "-")
        }
        return areLabels ? String(text) : nil
    }

    private static let dot = UInt8(ascii: ".")

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    /// Letters, digits and `-`, and the `_` that container networks use in names.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
