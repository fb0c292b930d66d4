/// What a token may use in a span of time; `nil` for as much as it likes.
public struct TokenLimits: Hashable, Sendable {
    /// Most requests in any 60 seconds, above 0.
    public var requestsPerMinute: Int64?
    /// Most prompt and completion tokens in any 60 seconds, above 0.
    public var tokensPerMinute: Int64?
    public var budget: Budget?
    /// Limits that count and tell what they would refuse, and refuse nothing.
    public var shadowed: LimitKinds

    public init(
        requestsPerMinute: Int64? = nil, tokensPerMinute: Int64? = nil, budget: Budget? = nil,
        shadowed: LimitKinds = []
    ) {
        self.requestsPerMinute = requestsPerMinute
        self.tokensPerMinute = tokensPerMinute
        self.budget = budget
        self.shadowed = shadowed
    }

    /// Whether none is set.
    public var isEmpty: Bool { requestsPerMinute == nil && tokensPerMinute == nil && budget == nil }
}

/// What all tokens of a project may use together.
public struct ProjectLimits: Hashable, Sendable {
    public var budget: Budget?
    /// Whether the budget only counts and tells what it would refuse.
    public var isShadow: Bool

    public init(budget: Budget? = nil, isShadow: Bool = false) {
        self.budget = budget
        self.isShadow = isShadow
    }
}

/// A limit by its name in the API, in the order in which limits are looked at.
public enum LimitKind: String, Hashable, Sendable, CaseIterable {
    case requestsPerMinute = "requests_per_minute"
    case tokensPerMinute = "tokens_per_minute"
    case budget = "budget_usd"
    case projectBudget = "project_budget_usd"
}

/// A set of limits, one bit each.
public struct LimitKinds: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let requestsPerMinute = Self(rawValue: 1 << 0)
    public static let tokensPerMinute = Self(rawValue: 1 << 1)
    public static let budget = Self(rawValue: 1 << 2)

    /// The limits a token may have, with their names.
    public static let named: [(name: String, kind: LimitKinds)] = [
        (LimitKind.requestsPerMinute.rawValue, .requestsPerMinute),
        (LimitKind.tokensPerMinute.rawValue, .tokensPerMinute), (LimitKind.budget.rawValue, .budget),
    ]

    /// The names of those in the set.
    public var names: [String] { Self.named.filter { contains($0.kind) }.map(\.name) }

    /// The names with commas between; `nil` for none.
    public var text: String? { isEmpty ? nil : names.joined(separator: ",") }

    /// Reads ``text``. Gives `nil` when a name is none of theirs.
    public init?(text: String) {
        self = []
        for name in text.split(separator: ",") {
            guard let known = Self.named.first(where: { $0.name == name }) else { return nil }
            insert(known.kind)
        }
    }
}
