import ProxyManagement

/// A JSON document of the API, read without faults: what isn't there is null.
struct Document: Sendable {
    let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    /// Reads a body; null for what is no JSON.
    init(bytes: [UInt8]) { value = (try? JSONReader.read(bytes)) ?? .null }

    /// A member of an object.
    subscript(name: String) -> Document {
        guard case .members(let members) = value, let member = members.first(where: { $0.name == name }) else {
            return Document(.null)
        }
        return Document(member.value)
    }

    var isNull: Bool { value == .null }

    /// A string's text.
    var words: String? {
        guard case .string(let text) = value else { return nil }
        return text
    }

    /// A string's text, a number as it is written, or nothing.
    var plain: String {
        switch value {
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .members: ""
        }
    }

    /// A number.
    var number: Double? {
        guard case .number(let text) = value else { return nil }
        return Double(text)
    }

    /// A number without a fraction; 0 for anything else.
    var whole: Int64 {
        guard case .number(let text) = value else { return 0 }
        return Int64(text) ?? Double(text).flatMap { Int64(exactly: $0.rounded()) } ?? 0
    }

    var isTrue: Bool { value == .bool(true) }

    /// What an array holds.
    var items: [Document] {
        guard case .array(let values) = value else { return [] }
        return values.map { Document($0) }
    }

    /// What an object holds.
    var members: [(name: String, value: Document)] {
        guard case .members(let members) = value else { return [] }
        return members.map { (name: $0.name, value: Document($0.value)) }
    }

    /// The texts of an array.
    var names: [String] { items.map(\.plain) }
}
