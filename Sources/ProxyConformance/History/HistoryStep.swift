import ProxyDomain

/// One thing that happens in a random history. Things are named by number, taken modulo how many there are.
enum HistoryStep: Hashable, Sendable {
    case createProject
    /// `lifetime` in seconds from now; `nil` for a token that never expires.
    case createToken(project: Int, cap: Int64, limits: TokenLimits, lifetime: Int64?)
    case revoke(token: Int)
    case revokeAll(project: Int)
    case setActive(token: Int, Bool)
    case expire(token: Int, in: Int64?)
    case setCap(token: Int, Int64)
    case setLimits(token: Int, TokenLimits)
    case setBudget(project: Int, ProjectLimits)
    case setProjectActive(project: Int, Bool)
    /// The clock moves by this many seconds.
    case pass(seconds: Int64)
    /// A batch. `wasLost`: its first try never reached the database, so it comes as a retry.
    case commit([AskedRequest], ending: [Int], wasLost: Bool)
    /// The last batch comes again.
    case retry
    /// The next batches are those of another process.
    case changeInstance
    /// The storage is closed and opened. Does nothing on an engine that does not keep its data.
    case restart
    /// What is open is put in doubt.
    case abandon
}

/// One request of a batch.
struct AskedRequest: Hashable, Sendable {
    let token: Int
    /// How many tokens of each kind are set aside for it.
    let aside: Int64
    /// Set when it ended before it was written: how many prompt tokens it used.
    let endedWith: Int64?
}

/// A repeatable source of randomness (SplitMix64, Steele and others 2014): the same seed gives the same numbers.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension HistoryStep {
    /// Something that may happen, chosen so that most histories use caps up, revoke what is in use, and repeat batches.
    static func random(using random: inout SeededRandom) -> HistoryStep {
        let thing = Int.random(in: 0..<8, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<4: return .createProject
        case 4..<18:
            let lifetime: Int64? = Bool.random(using: &random) ? nil : .random(in: 0...40, using: &random)
            return .createToken(
                project: thing, cap: .random(in: 0...6, using: &random), limits: randomLimits(using: &random),
                lifetime: lifetime)
        case 18..<23: return .revoke(token: thing)
        case 23..<25: return .revokeAll(project: thing)
        case 25..<30: return .setActive(token: thing, .random(using: &random))
        case 30..<34:
            let seconds: Int64? = Bool.random(using: &random) ? nil : .random(in: -5...30, using: &random)
            return .expire(token: thing, in: seconds)
        case 34..<36: return .setLimits(token: thing, randomLimits(using: &random))
        case 48..<50:
            return .setBudget(
                project: thing,
                ProjectLimits(budget: randomBudget(upTo: 2000, using: &random), isShadow: isRare(using: &random)))
        case 36..<39: return .setCap(token: thing, .random(in: 0...8, using: &random))
        case 39..<44: return .setProjectActive(project: thing, .random(using: &random))
        case 44..<48: return .pass(seconds: isRare(using: &random) ? 40_000 : .random(in: 1...35, using: &random))
        case 50..<82: return randomCommit(using: &random)
        case 82..<90: return .retry
        case 90..<93: return .changeInstance
        case 93..<97: return .restart
        default: return .abandon
        }
    }

    private static func isRare(using random: inout SeededRandom) -> Bool { Int.random(in: 0..<5, using: &random) == 0 }

    private static func randomLimits(using random: inout SeededRandom) -> TokenLimits {
        guard Bool.random(using: &random) else { return TokenLimits() }
        var limits = TokenLimits(budget: randomBudget(upTo: 1000, using: &random))
        if Bool.random(using: &random) { limits.requestsPerMinute = .random(in: 1...5, using: &random) }
        if Bool.random(using: &random) { limits.tokensPerMinute = .random(in: 1...200, using: &random) }
        if isRare(using: &random) {
            var set: LimitKinds = []
            if limits.requestsPerMinute != nil { set.insert(.requestsPerMinute) }
            if limits.tokensPerMinute != nil { set.insert(.tokensPerMinute) }
            if limits.budget != nil { set.insert(.budget) }
            limits.shadowed = set.intersection(LimitKinds(rawValue: .random(in: 0...7, using: &random)))
        }
        return limits
    }

    private static func randomBudget(upTo most: Int64, using random: inout SeededRandom) -> Budget? {
        guard Bool.random(using: &random) else { return nil }
        return Budget(
            NanoDollars(.random(in: 1...most, using: &random)),
            per: BudgetPeriod.allCases.randomElement(using: &random) ?? .none,
            mode: Bool.random(using: &random) ? .normal : .strict)
    }

    private static func randomCommit(using random: inout SeededRandom) -> HistoryStep {
        let requests = (0..<Int.random(in: 0...7, using: &random)).map { _ in
            AskedRequest(
                token: .random(in: 0..<6, using: &random),
                aside: Bool.random(using: &random) ? 0 : .random(in: 1...50, using: &random),
                endedWith: Int.random(in: 0..<4, using: &random) == 0 ? .random(in: 0...99, using: &random) : nil)
        }
        let ending = (0..<Int.random(in: 0...3, using: &random)).map { _ in Int.random(in: 0..<64, using: &random) }
        return .commit(requests, ending: ending, wasLost: Int.random(in: 0..<8, using: &random) == 0)
    }

    /// Smaller steps of the same kind, for shrinking.
    var smaller: [HistoryStep] {
        guard case .commit(let requests, let ending, let wasLost) = self else { return [] }
        var options: [HistoryStep] = []
        for index in requests.indices {
            var fewer = requests
            fewer.remove(at: index)
            options.append(.commit(fewer, ending: ending, wasLost: wasLost))
        }
        for index in ending.indices {
            var fewer = ending
            fewer.remove(at: index)
            options.append(.commit(requests, ending: fewer, wasLost: wasLost))
        }
        if wasLost { options.append(.commit(requests, ending: ending, wasLost: false)) }
        return options
    }
}
