/// Values that parameters of a request may have, wherever the request says them: in a JSON object, a form, or the query.
///
/// What two readers could understand in two ways is refused: a parameter said twice, or under a name that differs in case, as
/// some readers mind it and some don't.
public struct ParameterRules: Hashable, Sendable {
    private struct Rule: Hashable {
        let name: String
        let lowerCase: String
        let patterns: [[UInt8]]
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
            Rule(name: name, lowerCase: name.lowercased(), patterns: patterns.map { Array($0.utf8) })
        }
    }

    /// Looks at the members of a JSON object (RFC 8259), not at what is within them.
    public func violation(inJSON body: UnsafeRawBufferPointer) -> Violation? {
        var seen = Seen(self)
        var scan = JSONScan(body)
        let isWhole = scan.eachMember { key, value in
            guard let name = JSONScan.string(at: key, in: body) else { return seen.unreadable() }
            seen.note(name) {
                body.byte(value.lowerBound) == UInt8(ascii: "\"")
                    ? JSONScan.string(at: value, in: body) : String(decoding: body[value], as: UTF8.self)
            }
        }
        scan.skipSpace()
        return seen.violation ?? (isWhole && scan.position == body.count ? nil : .unreadable)
    }

    /// Looks at the parameters of a query, or of a form that is written like one.
    public func violation(inQuery query: UnsafeRawBufferPointer) -> Violation? {
        var seen = Seen(self)
        for piece in query.split(separator: UInt8(ascii: "&")) {
            let name = piece.prefix { $0 != UInt8(ascii: "=") }
            guard let decoded = Self.decoded(name) else {
                seen.unreadable()
                continue
            }
            seen.note(decoded) { Self.decoded(piece.dropFirst(name.count + 1)) }
        }
        return seen.violation
    }

    /// Looks at the fields of a form in parts (RFC 7578).
    public func violation(inParts body: UnsafeRawBufferPointer, boundary: [UInt8]) -> Violation? {
        var seen = Seen(self)
        let isWhole = MultipartForm.forEachPart(of: body, boundary: boundary) { part in
            guard let name = part.name else { return seen.unreadable() }
            seen.note(name) { part.isPlain ? String(decoding: part.content, as: UTF8.self) : nil }
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

        /// - Parameter value: `nil` for one that is no plain text.
        mutating func note(_ name: String, _ value: () -> String?) {
            guard violation == nil else { return }
            let lowerCase = name.lowercased()
            for (place, rule) in rules.enumerated() where rule.lowerCase == lowerCase {
                guard name == rule.name, !isThere[place] else { return violation = .ambiguous(rule.name) }
                isThere[place] = true
                guard let value = value(), rule.patterns.contains(where: { Self.matches(Array(value.utf8), $0) }) else {
                    return violation = .value(of: rule.name)
                }
            }
        }

        /// Whether all of `text` is what the pattern says. Goes back to the last `*` alone, so its time is bounded by their product.
        private static func matches(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
            var (position, place) = (0, 0)
            var star: (place: Int, position: Int)?
            while position < text.count {
                if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                    star = (place, position)
                    place += 1
                } else if place < pattern.count, pattern[place] == text[position] {
                    place += 1
                    position += 1
                } else if let last = star {
                    star = (last.place, last.position + 1)
                    (place, position) = (last.place + 1, last.position + 1)
                } else {
                    return false
                }
            }
            return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
        }
    }
}
