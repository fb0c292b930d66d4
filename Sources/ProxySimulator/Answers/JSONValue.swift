/// A JSON value as it came (RFC 8259 section 3).
enum JSONValue: Codable, Hashable, Sendable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else if let object = try? container.decode([String: JSONValue].self) {
            self = .object(object)
        } else {
            self = .null
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let flag): try container.encode(flag)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let object): try container.encode(object)
        }
    }

    /// A member of an object; `null` where there is none.
    subscript(name: String) -> JSONValue {
        if case .object(let members) = self { members[name] ?? .null } else { .null }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var list: [JSONValue] { if case .list(let list) = self { list } else { [] } }
    var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }
}

/// The value that the simulator gives where a JSON Schema says what is wanted: the same for the same schema.
struct SchemaSample {
    /// Values within values beyond this depth, and beyond this number in all, are `null`: a schema may refer to itself.
    private static let (deepest, most) = (32, 1000)
    private let schema: JSONValue

    init(of schema: JSONValue) { self.schema = schema }

    /// As JSON text, members in the order of their names.
    var text: String {
        var left = Self.most
        return sample(schema, depth: 0, &left)
    }

    private func sample(_ part: JSONValue, depth: Int, _ left: inout Int) -> String {
        guard depth < Self.deepest, left > 0 else { return "null" }
        left -= 1
        if let first = part["enum"].list.first { return Self.plain(first) }
        guard case .null = part["const"] else { return Self.plain(part["const"]) }
        if let name = part["$ref"].text?.split(separator: "/").last {
            return sample(schema["$defs"][String(name)], depth: depth + 1, &left)
        }
        if let first = (part["anyOf"].list + part["oneOf"].list).first { return sample(first, depth: depth + 1, &left) }
        switch part["type"].text ?? part["type"].list.first?.text {
        case "string": return Words.text(3).quoted
        case "integer": return "3"
        case "number": return "1.5"
        case "boolean": return "true"
        case "array": return "[\(sample(part["items"], depth: depth + 1, &left))]"
        case "object":
            var members: [String] = []
            for (name, value) in part["properties"].members.sorted(by: { $0.key < $1.key }) {
                members.append("\(name.quoted):\(sample(value, depth: depth + 1, &left))")
            }
            return "{\(members.joined(separator: ","))}"
        default: return "null"
        }
    }

    private static func plain(_ value: JSONValue) -> String {
        switch value {
        case .text(let text): text.quoted
        case .number(let number): number == number.rounded() && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
        case .flag(let flag): "\(flag)"
        case .null, .list, .object: "null"
        }
    }
}
