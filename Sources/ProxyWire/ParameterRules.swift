/// Values that parameters of a request may have, wherever the request says them: in a JSON object, a form, or the query.
///
/// What two readers could understand in two ways is refused: a parameter said twice, or under a name that differs in case, as
/// some readers mind it and some don't.
public struct ParameterRules: Hashable, Sendable {
    private struct Rule: Hashable {
        let name: String
        let lowerCase: String
        let upperCase: String
        let patterns: [TextPattern]

        /// Whether some reader takes `name` for this one. Folded both ways: ſ is an s in one of them alone.
        func isNamed(_ name: String) -> Bool { name.lowercased() == lowerCase || name.uppercased() == upperCase }
    }

    /// Why a request is refused.
    public enum Violation: Hashable, Sendable {
        /// The value of this parameter is not allowed.
        case value(of: String)
        /// This parameter is there more than once, or under a name in other case.
        case ambiguous(String)
        /// The content can't be looked into.
        case unreadable
    }

    private let rules: [Rule]
    public var isEmpty: Bool { rules.isEmpty }

    /// - Parameter allowed: patterns by parameter. A `*` in a pattern stands for any text.
    public init(_ allowed: [String: [String]] = [:]) {
        rules = allowed.sorted { $0.key < $1.key }.map { name, patterns in
            Rule(
                name: name, lowerCase: name.lowercased(), upperCase: name.uppercased(),
                patterns: patterns.map { TextPattern($0) })
        }
    }

    /// Most parameters that a form or a query may have.
    private static let mostParameters = 1000

    /// Looks at the members of a JSON object (RFC 8259), not at what is within them.
    public func violation(inJSON body: UnsafeRawBufferPointer) -> Violation? {
        guard JSONGrammar.isValue(body) else { return .unreadable }
        var seen = Seen(self)
        var scan = JSONScan(body)
        let isObject = scan.eachMember { key, value in
            guard let name = JSONScan.string(at: key, in: body) else { return seen.unreadable() }
            seen.note(name) {
                body.byte(value.lowerBound) == .quote
                    ? JSONScan.string(at: value, in: body) : String(decoding: body[value], as: UTF8.self)
            }
        }
        return seen.violation ?? (isObject ? nil : .unreadable)
    }

    /// Looks at the parameters of a query, or of a form that is written like one.
    public func violation(inQuery query: UnsafeRawBufferPointer) -> Violation? {
        var seen = Seen(self)
        var start = 0
        for _ in 0..<Self.mostParameters {
            let end = query.firstOffset(of: UInt8(ascii: "&"), in: start..<query.count) ?? query.count
            note(UnsafeRawBufferPointer(rebasing: query[start..<end]), in: &seen)
            if seen.violation != nil || end == query.count { return seen.violation }
            start = end + 1
        }
        return .unreadable
    }

    /// Notes `name=value`; and, where a reader splits at a semicolon or takes `name[]` for `name`, what that would see.
    private func note(_ piece: UnsafeRawBufferPointer, in seen: inout Seen) {
        // Writers of forms escape these; a reader of JSON does not wait for that.
        guard !piece.contains(where: { $0 == UInt8(ascii: "{") || $0 == .quote }) else { return seen.unreadable() }
        let name = piece.prefix { $0 != UInt8(ascii: "=") }
        guard let decoded = Self.decoded(name) else { return seen.unreadable() }
        seen.suspectBracket(in: decoded)
        let parts = piece.split(separator: UInt8(ascii: ";"), maxSplits: Self.mostParameters)
        for part in parts.dropFirst() {
            guard let other = Self.decoded(part.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "[") }) else {
                return seen.unreadable()
            }
            seen.suspect(other)
        }
        seen.note(decoded) { Self.decoded(piece.dropFirst(name.count + 1)) }
    }

    /// Looks at the fields of a form in parts (RFC 7578).
    public func violation(inParts body: UnsafeRawBufferPointer, boundary: [UInt8]) -> Violation? {
        var seen = Seen(self)
        var parts = 0
        let isWhole = MultipartForm.forEachPart(of: body, boundary: boundary) { part in
            parts += 1
            guard let name = part.name, parts <= Self.mostParameters else {
                seen.unreadable()
                return false
            }
            seen.suspectBracket(in: name)
            seen.note(name) { part.isPlain ? String(decoding: part.content, as: UTF8.self) : nil }
            return seen.violation == nil
        }
        return seen.violation ?? (isWhole ? nil : .unreadable)
    }

    /// Undoes `+` and percent signs. `nil` for what is no UTF-8 or a broken escape.
    private static func decoded(_ text: Slice<UnsafeRawBufferPointer>) -> String? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst()?.nibble, let low = rest.popFirst()?.nibble else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// What was found so far in one request.
    private struct Seen {
        private let rules: [Rule]
        private var isThere: [Bool]
        private(set) var violation: Violation?

        init(_ all: ParameterRules) {
            rules = all.rules
            isThere = Array(repeating: false, count: all.rules.count)
        }

        mutating func unreadable() { violation = violation ?? .unreadable }

        /// A name with a bracket, before which some readers find another. By scalars: a mark of accent makes one character with it.
        mutating func suspectBracket(in name: String) {
            let scalars = name.unicodeScalars
            if let bracket = scalars.firstIndex(of: "[") { suspect(String(scalars[..<bracket])) }
        }

        /// A name that only some readers find.
        mutating func suspect(_ name: String) {
            guard violation == nil, let rule = rules.first(where: { $0.isNamed(name) }) else { return }
            violation = .ambiguous(rule.name)
        }

        /// - Parameter value: `nil` for one that is no plain text.
        mutating func note(_ name: String, _ value: () -> String?) {
            guard violation == nil else { return }
            for (place, rule) in rules.enumerated() where rule.isNamed(name) {
                guard name == rule.name, !isThere[place] else { return violation = .ambiguous(rule.name) }
                isThere[place] = true
                guard let value = value(), rule.patterns.contains(where: { $0.matches(value) }) else {
                    return violation = .value(of: rule.name)
                }
            }
        }
    }
}
