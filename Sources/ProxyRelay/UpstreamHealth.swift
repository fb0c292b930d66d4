import NIOCore
import ProxyDomain
import Synchronization

/// What all event loops know of how upstreams fare.
public final class UpstreamHealth: Sendable {
    private struct Known {
        var breakers: [UpstreamTarget: CircuitBreaker] = [:]
        var budgets: [UpstreamTarget: RetryBudget] = [:]
        var rests: [String: KeyRest] = [:]
    }

    private let known = Mutex(Known())
    /// On overflow all are forgotten: they are told again by what happens next.
    private static let bound = 10_000

    public init() {}

    /// The one of this target.
    public func breaker(for target: UpstreamTarget) -> CircuitBreaker {
        known.withLock { Self.find(target, in: &$0.breakers, else: CircuitBreaker()) }
    }

    /// The one of this target.
    public func retryBudget(for target: UpstreamTarget) -> RetryBudget {
        known.withLock { Self.find(target, in: &$0.budgets, else: RetryBudget()) }
    }

    /// The one of this key, as it is sealed: a new key has one of its own.
    public func rest(of key: String) -> KeyRest { known.withLock { Self.find(key, in: &$0.rests, else: KeyRest()) } }

    private static func find<Key, Value>(
        _ key: Key, in table: inout [Key: Value], else make: @autoclosure () -> Value
    ) -> Value {
        if let value = table[key] { return value }
        if table.count >= bound { table.removeAll() }
        let value = make()
        table[key] = value
        return value
    }
}

/// Leaves an upstream alone that has not answered for a while, and lets one request after the other through to try.
public final class CircuitBreaker: Sendable {
    private let failures = Atomic<Int>(0)
    /// 0 while closed; else the uptime in nanoseconds from which one request may try. Relaxed, as all that hangs on it is which
    /// requests go.
    private let triesFrom = Atomic<UInt64>(0)
    /// About the uptime in nanoseconds of the last answer.
    private let lastAnswer = Atomic<UInt64>(0)
    /// How much older it may be: so that not every answer is told to all loops.
    private static let staleness: UInt64 = 10_000_000

    public init() {}

    /// Whether it lets requests through one at a time only.
    var isTripped: Bool { triesFrom.load(ordering: .relaxed) > 0 }

    /// How long requests have to wait; `nil` when one may try.
    func openFor(at now: NIODeadline) -> TimeAmount? {
        let from = triesFrom.load(ordering: .relaxed)
        return from > now.uptimeNanoseconds ? .nanoseconds(Int64(from - now.uptimeNanoseconds)) : nil
    }

    /// How long a request would have to wait; `nil` when it may go. Of those that ask when the time has come one may.
    func wait(at now: NIODeadline, _ rules: BreakerRules) -> TimeAmount? {
        let from = triesFrom.load(ordering: .relaxed)
        guard from > 0, rules.failures > 0 else { return nil }
        let now = now.uptimeNanoseconds
        guard now >= from else { return .nanoseconds(Int64(from - now)) }
        // What becomes of it need not be told: if nothing is, the next may try after as long again.
        let next = now + UInt64(TimeAmount(rules.openFor).nanoseconds)
        let (isFirst, _) = triesFrom.compareExchange(expected: from, desired: next, ordering: .relaxed)
        return isFirst ? nil : TimeAmount(rules.openFor)
    }

    /// The upstream has answered, whatever it said.
    func answered(at now: NIODeadline) {
        let now = now.uptimeNanoseconds
        if now > lastAnswer.load(ordering: .relaxed) + Self.staleness { lastAnswer.store(now, ordering: .relaxed) }
        if failures.load(ordering: .relaxed) > 0 { failures.store(0, ordering: .relaxed) }
        if isTripped { triesFrom.store(0, ordering: .relaxed) }
    }

    /// It has not, for a reason that is its own.
    /// - Parameter sent: of a request that waited for its answer in vain, since when. If others were answered meanwhile, it was slow
    ///   and the upstream is well.
    /// - Returns: whether it is left alone from now on.
    func failed(at now: NIODeadline, waitingSince sent: NIODeadline? = nil, _ rules: BreakerRules) -> Bool {
        guard rules.failures > 0 else { return false }
        if let sent, lastAnswer.load(ordering: .relaxed) > sent.uptimeNanoseconds { return false }
        let count = failures.add(1, ordering: .relaxed).newValue
        guard count >= rules.failures else { return false }
        let wasTripped = isTripped
        triesFrom.store(now.uptimeNanoseconds + UInt64(TimeAmount(rules.openFor).nanoseconds), ordering: .relaxed)
        return !wasTripped
    }
}

/// Lets a key rest that a provider has refused, where there are others.
public final class KeyRest: Sendable {
    private let until = Atomic<UInt64>(0)

    public init() {}

    func isOver(at now: NIODeadline) -> Bool { until.load(ordering: .relaxed) <= now.uptimeNanoseconds }

    /// Never ends a longer rest.
    func rest(until deadline: NIODeadline) { until.max(deadline.uptimeNanoseconds, ordering: .relaxed) }
}

/// How many requests to an upstream may be sent again, of all that go there: a share of them, and ten more.
public final class RetryBudget: Sendable {
    private static let price = 100
    private static let most = 10 * price
    /// Hundredths of a request. Relaxed: nothing hangs on it but how many are sent again.
    private let credit = Atomic<Int>(most)

    public init() {}

    /// A request has come, under rules that allow `percent` of all to be sent again.
    func earn(_ percent: Int) {
        let missing = Self.most - credit.load(ordering: .relaxed)
        // Others who earn at this moment may make it a little more than ten.
        if missing > 0 { credit.add(min(percent, missing), ordering: .relaxed) }
    }

    /// Whether one may be sent again; takes it off.
    func take() -> Bool {
        var found = credit.load(ordering: .relaxed)
        while found >= Self.price {
            let (isTaken, now) = credit.compareExchange(
                expected: found, desired: found - Self.price, ordering: .relaxed)
            if isTaken { return true }
            found = now
        }
        return false
    }
}
