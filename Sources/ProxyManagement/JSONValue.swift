/// A JSON document (RFC 8259). Numbers stay as they were written, so that none is rounded.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's text.
    case number(String)
    case string(String)
    case array([JSONValue])
    case members([Member])

    /// One name and its value; their order is kept.
    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: JSONValue
    }

    package static func object(_ members: [(String, JSONValue)]) -> Self {
        .members(members.map { Member(name: $0.0, value: $0.1) })
    }

    package static func integer(_ value: some BinaryInteger) -> Self { .number("\(value)") }

    /// A measured number; `null` where JSON has no such number.
    package static func measured(_ value: Double) -> Self { value.isFinite ? .number(value.shortText) : .null }

    /// Text, or `null` without one.
    package static func text(_ value: String?) -> Self { value.map { .string($0) } ?? .null }

    package static func names(_ names: [String]) -> Self { .array(names.map { .string($0) }) }

    /// What the value is called in an error.
    var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .members: "an object"
        }
    }
}

extension Double {
    /// The shortest text that reads back as the same number, without a fraction where there is none.
    var shortText: String {
        guard let whole = Int64(exactly: self), whole.magnitude < 1 << 53 else { return "\(self)" }
        return "\(whole)"
    }
}

/// Writing.
extension JSONValue {
    /// The document without blanks.
    package var text: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let text): bytes += text.utf8
        case .string(let text): Self.write(text, to: &bytes)
        case .array(let values):
            Self.write(values, between: "[]", to: &bytes) { $0.write(to: &$1) }
        case .members(let members):
            Self.write(members, between: "{}", to: &bytes) { member, bytes in
                Self.write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item], between brackets: String, to bytes: inout [UInt8], _ each: (Item, inout [UInt8]) -> Void
    ) {
        bytes += brackets.utf8.prefix(1)
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            each(item, &bytes)
        }
        bytes += brackets.utf8.suffix(1)
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += #"\n"#.utf8
            case 0..<0x20, 0x7F: bytes += [UInt8]("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
