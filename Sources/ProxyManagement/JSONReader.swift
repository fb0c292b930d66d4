/// Reads one JSON document strictly (RFC 8259): valid UTF-8, each name once in its object, nesting bounded.
package struct JSONReader {
    /// Where reading stopped, and why.
    package struct Fault: Error, Hashable {
        package enum Kind: Hashable {
            case syntax(String)
            /// Names of one object must be unique: who reads a document must not depend on which of two counts.
            case duplicate(name: String)
        }

        package let kind: Kind
        /// Bytes before the fault.
        package let offset: Int
    }

    /// Arrays and objects within each other, at most.
    static let maximumDepth = 16

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    package static func read(_ bytes: [UInt8]) throws(Fault) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Fault(kind: .syntax("the text is not UTF-8"), offset: 0)
        }
        var reader = JSONReader(bytes)
        let value = try reader.value()
        reader.skipBlanks()
        guard reader.position == bytes.count else { throw reader.syntax("something follows the document") }
        return value
    }

    private mutating func value() throws(Fault) -> JSONValue {
        skipBlanks()
        guard position < bytes.count else { throw syntax("the text ends too early") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try nested { reader throws(Fault) in try reader.object() }
        case UInt8(ascii: "["): return try nested { reader throws(Fault) in try reader.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default:
            if take("true") { return .bool(true) }
            if take("false") { return .bool(false) }
            if take("null") { return .null }
            throw syntax("no value begins like this")
        }
    }

    private mutating func nested(
        _ read: (inout JSONReader) throws(Fault) -> JSONValue
    ) throws(Fault) -> JSONValue {
        guard depth < Self.maximumDepth else { throw syntax("nested more than \(Self.maximumDepth) deep") }
        depth += 1
        defer { depth -= 1 }
        position += 1
        return try read(&self)
    }

    private mutating func object() throws(Fault) -> JSONValue {
        var members: [JSONValue.Member] = []
        var names: Set<String> = []
        skipBlanks()
        if take("}") { return .members([]) }
        repeat {
            skipBlanks()
            let start = position
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw syntax("a name in quotes is expected")
            }
            let name = try string()
            guard names.insert(name).inserted else { throw Fault(kind: .duplicate(name: name), offset: start) }
            skipBlanks()
            guard take(":") else { throw syntax("':' is expected") }
            members.append(JSONValue.Member(name: name, value: try value()))
            skipBlanks()
        } while take(",")
        guard take("}") else { throw syntax("',' or '}' is expected") }
        return .members(members)
    }

    private mutating func array() throws(Fault) -> JSONValue {
        var values: [JSONValue] = []
        skipBlanks()
        if take("]") { return .array([]) }
        repeat {
            values.append(try value())
            skipBlanks()
        } while take(",")
        guard take("]") else { throw syntax("',' or ']' is expected") }
        return .array(values)
    }

    private mutating func number() throws(Fault) -> String {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(Fault) {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        guard position > start else { throw syntax("a digit is expected") }
    }

    private mutating func string() throws(Fault) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &text)
            case 0..<0x20: throw syntax("a control character stands in a string without escape")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw syntax("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Fault) {
        guard position < bytes.count else { throw syntax("a string does not end") }
        let sign = bytes[position]
        position += 1
        switch sign {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(sign)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(Character(try escapedScalar())).utf8)
        default: throw syntax("no such escape in a string")
        }
    }

    /// After `\u`: four digits, or two such halves of one character (RFC 8259 section 7).
    private mutating func escapedScalar() throws(Fault) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take("\\u") else { throw syntax("half a surrogate pair stands alone") }
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw syntax("half a surrogate pair stands alone") }
        return scalar
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        guard position + 4 <= bytes.count else { throw syntax("four hexadecimal digits are expected") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw syntax("four hexadecimal digits are expected")
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        for offset in 0..<word.utf8CodeUnitCount where bytes[position + offset] != word.utf8Start[offset] {
            return false
        }
        position = end
        return true
    }

    private func syntax(_ problem: String) -> Fault { Fault(kind: .syntax(problem), offset: position) }
}
