import NIOCore
import ProxyDomain

/// A request's JSON object, read field by field. `null` counts as left out.
struct BodyFields {
    private let values: [String: JSONValue]
    private let known: [String]
    /// Before the names of fields in messages: `limits.` for those inside `limits`.
    private let prefix: String

    /// Reads the body of `call`.
    /// - Parameter known: the fields there are.
    init(of call: Call, known: [String]) throws(ManagementFailure) {
        try self.init(try Self.values(of: call.request), known: known, prefix: "")
    }

    private init(_ values: [String: JSONValue], known: [String], prefix: String) throws(ManagementFailure) {
        self.values = values
        self.known = known
        self.prefix = prefix
        // In order of name, so that a body with several faults always gets the same answer.
        for name in values.keys.sorted() where !known.contains(name) {
            throw .input(.unknown(name: prefix + name, known: known.map { prefix + $0 }))
        }
    }

    /// The fields of an object within this one.
    func fields(of name: String, known: [String]) throws(ManagementFailure) -> BodyFields? {
        guard let value = present(name) else { return nil }
        guard case .members(let members) = value else {
            throw .input(.invalid(name: prefix + name, rule: "must be an object, not \(value.kindName)"))
        }
        let inner = Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
        return try BodyFields(inner, known: known, prefix: "\(prefix)\(name).")
    }

    private static func values(of request: ManagementRequest) throws(ManagementFailure) -> [String: JSONValue] {
        guard request.body.readableBytes <= Management.maximumBodyBytes else { throw .route(.bodyTooLarge) }
        guard request.body.readableBytes > 0 else {
            throw .input(.invalidJSON(problem: "the body is empty", offset: 0))
        }
        guard isJSON(request) else { throw .route(.notJSON) }
        do throws(JSONReader.Fault) {
            guard case .members(let members) = try JSONReader.read(Array(request.body.readableBytesView)) else {
                throw JSONReader.Fault(kind: .syntax("an object is expected, in '{' and '}',"), offset: 0)
            }
            return Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
        } catch {
            switch error.kind {
            case .syntax(let problem): throw .input(.invalidJSON(problem: problem, offset: error.offset))
            case .duplicate(let name): throw .input(.invalid(name: name, rule: "is given twice"))
            }
        }
    }

    /// `application/json`, with or without parameters, or a type that ends in `+json`; sent as it is.
    private static func isJSON(_ request: ManagementRequest) -> Bool {
        let types = request.values(of: "content-type")
        guard types.count == 1, let type = types.first?.prefix(while: { $0 != ";" }).lowercased() else { return false }
        let essence = String(type.filter { $0 != " " && $0 != "\t" })
        return (essence == "application/json" || essence.hasSuffix("+json"))
            && request.values(of: "content-encoding").allSatisfy { $0.lowercased() == "identity" }
    }

    /// The fields that are there, for the audit: names alone.
    var givenNames: String { values.keys.sorted().joined(separator: ",") }

    /// Whether the field is there with a value.
    func has(_ name: String) -> Bool { values[name].map { $0 != .null } ?? false }

    /// Whether the field is there as `null`.
    func isNull(_ name: String) -> Bool { values[name] == .null }

    /// - Throws: when no field has a value.
    func requireAny() throws(ManagementFailure) {
        guard known.contains(where: has) else { throw .input(.nothingToChange(known: known)) }
    }

    func string(_ name: String) throws(ManagementFailure) -> String? {
        guard let value = present(name) else { return nil }
        guard case .string(let text) = value else {
            throw .input(.invalid(name: prefix + name, rule: "must be a string, not \(value.kindName)"))
        }
        return text
    }

    func boolean(_ name: String) throws(ManagementFailure) -> Bool? {
        guard let value = present(name) else { return nil }
        guard case .bool(let flag) = value else {
            throw .input(.invalid(name: prefix + name, rule: "must be true or false, not \(value.kindName)"))
        }
        return flag
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws(ManagementFailure) -> Int64? {
        guard let value = present(name) else { return nil }
        let rule = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard case .number(let text) = value else {
            throw .input(.invalid(name: prefix + name, rule: "\(rule), not \(value.kindName)"))
        }
        guard let number = Int64(text), range.contains(number) else {
            throw .input(.invalid(name: prefix + name, rule: "\(rule), without fraction or exponent"))
        }
        return number
    }

    /// An amount of US dollars above 0, exact to a billionth.
    func dollars(_ name: String) throws(ManagementFailure) -> NanoDollars? {
        guard let value = present(name) else { return nil }
        let rule = "must be a number of US dollars above 0, at most 9000000000, with at most 9 decimals"
        guard case .number(let text) = value else {
            throw .input(.invalid(name: prefix + name, rule: "\(rule), not \(value.kindName)"))
        }
        guard let amount = NanoDollars(dollars: text), amount > .zero else {
            throw .input(.invalid(name: prefix + name, rule: rule))
        }
        return amount
    }

    /// One of a few words.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, as: Choice.Type = Choice.self
    ) throws(ManagementFailure) -> Choice? {
        guard let text = try string(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw .input(.invalid(name: prefix + name, rule: "must be one of: \(words)"))
        }
        return choice
    }

    /// `true` (a `nil` list), `false` (`nil`, as when it is left out), or a list of names.
    func flagOrNames(_ name: String) throws(ManagementFailure) -> [String]?? {
        guard let value = present(name) else { return nil }
        switch value {
        case .bool(let flag): return flag ? .some(nil) : nil
        case .array(let values):
            var names: [String] = []
            for case .string(let text) in values { names.append(text) }
            if names.count == values.count { return names }
            throw .input(.invalid(name: prefix + name, rule: "must be true, false or a list of names"))
        case .null, .number, .string, .members:
            throw .input(
                .invalid(name: prefix + name, rule: "must be true, false or a list of names, not \(value.kindName)"))
        }
    }

    /// A list of at most 100 names, none twice.
    /// - Parameter parse: gives a name as it is kept; `nil` for one that breaks `rule`.
    func names(
        _ name: String, rule: String, parse: (String) -> String?
    ) throws(ManagementFailure) -> [String]? {
        guard let value = present(name) else { return nil }
        guard case .array(let values) = value, values.count <= 100 else {
            throw .input(.invalid(name: prefix + name, rule: "must be a list of at most 100 names; [] allows all"))
        }
        var names: [String] = []
        for value in values {
            guard case .string(let text) = value, let parsed = parse(text) else {
                throw .input(.invalid(name: prefix + name, rule: rule))
            }
            if !names.contains(parsed) { names.append(parsed) }
        }
        return names
    }

    /// A name that people give: a bounded number of Unicode scalars without control characters.
    func label(_ name: String, length: ClosedRange<Int>) throws(ManagementFailure) -> String? {
        guard let text = try string(name) else { return nil }
        let scalars = text.unicodeScalars
        guard length.contains(scalars.count) else {
            throw .input(
                .invalid(name: prefix + name, rule: "must have \(length.lowerBound) to \(length.upperBound) characters")
            )
        }
        guard !scalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw .input(.invalid(name: prefix + name, rule: "must not hold control characters"))
        }
        guard text.isEmpty || scalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw .input(.invalid(name: prefix + name, rule: "must not be blank"))
        }
        return text
    }

    func identifier<ID: TypedIdentifier>(_ name: String) throws(ManagementFailure) -> ID? {
        guard let text = try string(name) else { return nil }
        return try Self.identifier(prefix + name, text)
    }

    func instant(_ name: String) throws(ManagementFailure) -> Timestamp? {
        try string(name).map { text throws(ManagementFailure) in try Self.instant(prefix + name, text) }
    }

    /// Reads an instant wherever it stands.
    static func instant(_ name: String, _ text: String) throws(ManagementFailure) -> Timestamp {
        guard let instant = Timestamp(text) else {
            throw .input(.invalid(name: name, rule: "must be an instant like 2030-01-31T09:30:00Z (RFC 3339)"))
        }
        return instant
    }

    /// Reads an identifier wherever it stands.
    static func identifier<ID: TypedIdentifier>(_ name: String, _ text: String) throws(ManagementFailure) -> ID {
        guard let identifier = ID(text) else {
            throw .input(.invalid(name: name, rule: "must be an identifier of 36 characters (UUID, RFC 9562)"))
        }
        return identifier
    }

    private func present(_ name: String) -> JSONValue? {
        guard let value = values[name], value != .null else { return nil }
        return value
    }
}

extension Call {
    /// The identifier in the path.
    func identifier<ID: TypedIdentifier>(_: ID.Type = ID.self) throws(ManagementFailure) -> ID {
        try BodyFields.identifier("id", pathIdentifier)
    }
}
