import ProxyDomain

/// The parameters of a request's query. A misspelt filter is refused: ignored, it would show everything.
struct QueryFields {
    private let values: [String: String]

    /// - Parameters:
    ///   - known: the parameters there are.
    ///   - prefixes: what others may begin with.
    init(of call: Call, known: [String] = [], prefixes: [String] = []) throws(ManagementFailure) {
        var values: [String: String] = [:]
        for item in call.request.query.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(parts[0], of: "query")
            guard known.contains(name) || prefixes.contains(where: name.hasPrefix) else {
                throw .input(.unknown(name: name, known: known))
            }
            let value = parts.count == 2 ? try Self.decoded(parts[1], of: name) : ""
            guard values.updateValue(value, forKey: name) == nil else {
                throw .input(.invalid(name: name, rule: "is given twice"))
            }
        }
        self.values = values
    }

    /// The parameters that begin so, in order.
    func names(beginningWith prefix: String) -> [String] { values.keys.filter { $0.hasPrefix(prefix) }.sorted() }

    func instant(_ name: String) throws(ManagementFailure) -> Timestamp? {
        guard let text = values[name] else { return nil }
        return try BodyFields.instant(name, text)
    }

    subscript(name: String) -> String? { values[name] }

    /// Those of `names` that are there, in their order.
    func given(_ names: [String]) -> [(name: String, value: String)] {
        names.compactMap { name in values[name].map { (name, $0) } }
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, as: Choice.Type = Choice.self
    ) throws(ManagementFailure) -> Choice? {
        guard let text = values[name] else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw .input(.invalid(name: name, rule: "must be one of: \(words)"))
        }
        return choice
    }

    /// Whether `order` asks for the last ones first.
    var isDescending: Bool {
        get throws(ManagementFailure) {
            switch values["order"] {
            case nil, "asc": false
            case "desc": true
            default: throw .input(.invalid(name: "order", rule: "must be asc or desc"))
            }
        }
    }

    /// A text to look for; `nil` for none and for an empty one, as forms send it.
    func search(_ name: String) throws(ManagementFailure) -> String? {
        guard let text = values[name], !text.isEmpty else { return nil }
        guard text.unicodeScalars.count <= 200, !text.utf8.contains(0) else {
            throw .input(.invalid(name: name, rule: "must be at most 200 characters, none of them zero"))
        }
        return text
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(ManagementFailure) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), range.contains(number), text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }) else {
            throw .input(
                .invalid(name: name, rule: "must be a whole number from \(range.lowerBound) to \(range.upperBound)"))
        }
        return number
    }

    func boolean(_ name: String) throws(ManagementFailure) -> Bool? {
        switch values[name] {
        case nil: return nil
        case "true": return true
        case "false": return false
        default: throw .input(.invalid(name: name, rule: "must be true or false"))
        }
    }

    func identifier<ID: TypedIdentifier>(_ name: String) throws(ManagementFailure) -> ID? {
        guard let text = values[name] else { return nil }
        return try BodyFields.identifier(name, text)
    }

    /// Undoes percent-encoding (RFC 3986 section 2.1), and `+` for a space as forms write it.
    static func decoded(_ text: Substring, of name: String) throws(ManagementFailure) -> String {
        guard let bytes = PercentEncoding.decoded(text, isForm: true) else {
            throw .input(.invalid(name: name, rule: "has a '%' without two digits after it"))
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw .input(.invalid(name: name, rule: "must be UTF-8"))
        }
        return decoded
    }
}
