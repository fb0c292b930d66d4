import ProxyWire

/// A parameter that a query gets from us, and that no client may bring.
struct QueryParameter: Hashable, Sendable {
    let name: [UInt8]
    /// `name=value`, both with percent signs where they need them (RFC 3986 section 2.1).
    let text: [UInt8]
    private let plainValue: [UInt8]

    init(name: String, value: String) {
        self.name = Array(name.utf8)
        plainValue = Array(value.utf8)
        text = Self.encoded(self.name) + [UInt8(ascii: "=")] + Self.encoded(plainValue)
    }

    /// Whether a field of an answer repeats our value: upstreams that redirect give back the query they were sent.
    func isRepeated(in field: UnsafeRawBufferPointer) -> Bool {
        let value = text.dropFirst(Self.encoded(name).count + 1)
        return !value.isEmpty && (Self.holds(field, value) || Self.holds(field, plainValue[...]))
    }

    private static func holds(_ text: UnsafeRawBufferPointer, _ wanted: ArraySlice<UInt8>) -> Bool {
        guard let first = wanted.first, text.count >= wanted.count else { return false }
        return (0...text.count - wanted.count).contains { start in
            text[start] == first && text[start..<start + wanted.count].elementsEqual(wanted)
        }
    }

    /// Gives the pieces of a query that are to be kept: those with another name that are not empty.
    func forEachOther(in query: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        for piece in query.split(separator: UInt8(ascii: "&")) {
            // Some readers split at a semicolon too, and some take key[] for key.
            let isOurs = piece.split(separator: UInt8(ascii: ";")).contains { part in
                isName(
                    UnsafeRawBufferPointer(
                        rebasing: part.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "[") }))
            }
            if !isOurs { body(UnsafeRawBufferPointer(rebasing: piece)) }
        }
    }

    /// Whether it is our name, however it is encoded.
    private func isName(_ text: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        for wanted in name {
            guard position < text.count else { return false }
            var byte = text[position]
            position += 1
            if byte == UInt8(ascii: "%"), position + 1 < text.count, let high = text[position].nibble,
                let low = text[position + 1].nibble
            {
                byte = high << 4 | low
                position += 2
            }
            guard byte == wanted else { return false }
        }
        return position == text.count
    }

    /// Leaves only unreserved characters as they are (RFC 3986 section 2.3).
    private static func encoded(_ text: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return text.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
