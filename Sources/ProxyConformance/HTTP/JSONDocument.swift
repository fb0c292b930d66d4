/// A JSON text taken apart (RFC 8259): only what scenarios need in order to look into an answer.
package enum JSONDocument: Hashable, Sendable {
    case object([String: JSONDocument])
    case array([JSONDocument])
    case string(String)
    /// As written.
    case number(String)
    case bool(Bool)
    case null

    /// Reads a whole text. Gives `nil` for anything else.
    package init?(_ bytes: [UInt8]) {
        var reader = JSONDocumentReader(bytes: bytes)
        guard let value = reader.document() else { return nil }
        self = value
    }

    package init?(_ text: String) { self.init(Array(text.utf8)) }

    /// A member of an object; `null` when there is none.
    package subscript(name: String) -> JSONDocument {
        guard case .object(let members) = self else { return .null }
        return members[name] ?? .null
    }

    /// Whether an object has a member of that name, `null` or not.
    package func has(_ name: String) -> Bool {
        guard case .object(let members) = self else { return false }
        return members[name] != nil
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var integer: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    package var double: Double? {
        guard case .number(let text) = self else { return nil }
        return Double(text)
    }

    package var items: [JSONDocument] {
        guard case .array(let items) = self else { return [] }
        return items
    }
}

private struct JSONDocumentReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() -> JSONDocument? {
        guard let value = value(depth: 0) else { return nil }
        skipBlanks()
        return position == bytes.count ? value : nil
    }

    private mutating func value(depth: Int) -> JSONDocument? {
        skipBlanks()
        guard depth < 64, position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return text().map(JSONDocument.string)
        case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return take("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> JSONDocument? {
        position += 1
        var members: [String: JSONDocument] = [:]
        skipBlanks()
        if take("}") { return .object(members) }
        repeat {
            skipBlanks()
            guard let name = text() else { return nil }
            skipBlanks()
            guard take(":"), let member = value(depth: depth + 1) else { return nil }
            members[name] = member
            skipBlanks()
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONDocument? {
        position += 1
        var items: [JSONDocument] = []
        skipBlanks()
        if take("]") { return .array(items) }
        repeat {
            guard let item = value(depth: depth + 1) else { return nil }
            items.append(item)
            skipBlanks()
        } while take(",")
        return take("]") ? .array(items) : nil
    }

    private mutating func number() -> JSONDocument? {
        let start = position
        while position < bytes.count, "+-.eE0123456789".utf8.contains(bytes[position]) { position += 1 }
        return position > start ? .number(String(decoding: bytes[start..<position], as: UTF8.self)) : nil
    }

    private mutating func text() -> String? {
        guard take("\"") else { return nil }
        var units: [UInt16] = []
        var plain: [UInt8] = []
        func flushed(_ units: inout [UInt16], _ plain: inout [UInt8]) {
            units += Array(String(decoding: plain, as: UTF8.self).utf16)
            plain = []
        }
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                flushed(&units, &plain)
                return String(decoding: units, as: UTF16.self)
            }
            guard byte == UInt8(ascii: "\\") else {
                plain.append(byte)
                continue
            }
            flushed(&units, &plain)
            guard let unit = escaped() else { return nil }
            units.append(unit)
        }
        return nil
    }

    private mutating func escaped() -> UInt16? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        switch bytes[position] {
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "u"):
            guard position + 4 < bytes.count else { return nil }
            let digits = String(decoding: bytes[position + 1...position + 4], as: UTF8.self)
            position += 4
            return UInt16(digits, radix: 16)
        case let other: return UInt16(other)
        }
    }

    private mutating func skipBlanks() {
        while position < bytes.count, [32, 9, 10, 13].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let wanted = Array(text.description.utf8)
        guard bytes[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }
}
