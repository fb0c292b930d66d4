import ProxyDomain

/// Percent-encoding as addresses and forms have it (RFC 3986, section 2.1; WHATWG URL, section 5).
enum Percent {
    static func encoded(_ text: some StringProtocol) -> String { PercentEncoding.encoded(text) }

    /// Undoes percent-encoding. What is not well-formed stays as it is; bytes that are no UTF-8 become U+FFFD.
    /// - Parameter isForm: whether `+` is a space.
    static func decoded(_ text: some StringProtocol, isForm: Bool = false) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count > 1, let high = digit(rest[rest.startIndex]),
                let low = digit(rest[rest.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(isForm && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A query of the pairs that have a value, without its `?`.
    static func query(_ pairs: [(String, String)]) -> String {
        var parts: [String] = []
        for (name, value) in pairs where !value.isEmpty { parts.append("\(encoded(name))=\(encoded(value))") }
        return parts.joined(separator: "&")
    }

    /// A path with a query, where one is left.
    static func target(_ path: String, _ pairs: [(String, String)]) -> String {
        let query = query(pairs)
        return query.isEmpty ? path : "\(path)?\(query)"
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
