/// What a pool of connections does next: events in, actions out. Knows no thread, no clock and no engine.
///
/// A place is open from the action that grants it first to the action that closes it; waiters are served in the order
/// in which they asked.
public struct PoolDecisions: Sendable {
    public struct Limits: Sendable {
        /// Most places open at once; at least 1.
        public var maxOpen: Int
        /// Most places kept open without work.
        public var maxIdle: Int
        /// Longest life of a place, counted from its opening; `nil` for no bound. Ends between two uses.
        public var lifetime: Duration?
        /// Longest wait for a place.
        public var wait: Duration
        /// Most waiters; the next one is refused at once.
        public var maxWaiting: Int

        public init(maxOpen: Int, maxIdle: Int, lifetime: Duration?, wait: Duration, maxWaiting: Int = 4096) {
            self.maxOpen = max(1, maxOpen)
            self.maxIdle = maxIdle
            self.lifetime = lifetime
            self.wait = wait
            self.maxWaiting = maxWaiting
        }
    }

    public enum Action: Hashable, Sendable {
        /// Give `place` to `waiter`; open it first when `isNew`.
        case grant(waiter: UInt64, place: Int, isNew: Bool)
        /// Close a place that nobody uses.
        case close(place: Int)
        /// Tell `waiter` that there is none for it.
        case refuse(waiter: UInt64)
    }

    private struct Place {
        let number: Int
        let openedAt: Duration
    }

    private struct Waiter {
        let number: UInt64
        let deadline: Duration
    }

    private let limits: Limits
    private var busy: [Int: Place] = [:]
    /// The one used last is at the end, and is used first.
    private var idle: [Place] = []
    private var waiters: [Waiter] = []
    private var nextPlace = 0
    private var isShut = false

    /// How many places were ever opened.
    public private(set) var opened = 0
    /// How many places were ever closed.
    public private(set) var closed = 0
    public var inUse: Int { busy.count }
    public var idleCount: Int { idle.count }
    public var waiting: Int { waiters.count }
    /// When the place that is open longest was opened; `nil` when none is.
    public var oldestOpening: Duration? { (busy.values.map(\.openedAt) + idle.map(\.openedAt)).min() }
    public var isEmpty: Bool { busy.isEmpty && idle.isEmpty }

    public init(limits: Limits) { self.limits = limits }

    /// A waiter asks for a place.
    public mutating func ask(_ waiter: UInt64, now: Duration) -> [Action] {
        if isShut { return [.refuse(waiter: waiter)] }
        var actions: [Action] = []
        while let place = idle.popLast() {
            guard isWorn(place, now) else {
                return actions + [grant(place, to: waiter, isNew: false)]
            }
            actions.append(close(place))
        }
        if busy.count < limits.maxOpen { return actions + [open(for: waiter, now)] }
        if waiters.count >= limits.maxWaiting { return [.refuse(waiter: waiter)] }
        waiters.append(Waiter(number: waiter, deadline: now + limits.wait))
        return []
    }

    /// A place is no longer used. `isBroken` when it must not be used again.
    public mutating func giveBack(_ number: Int, isBroken: Bool = false, now: Duration) -> [Action] {
        guard let place = busy.removeValue(forKey: number) else { return [] }
        let isSpent = isBroken || isWorn(place, now)
        guard let next = waiters.first else {
            if isSpent || isShut || idle.count >= limits.maxIdle { return [close(place)] }
            idle.append(place)
            return []
        }
        waiters.removeFirst()
        if isSpent { return [close(place), open(for: next.number, now)] }
        return [grant(place, to: next.number, isNew: false)]
    }

    /// A waiter no longer wants a place.
    public mutating func abandon(_ waiter: UInt64) {
        waiters.removeAll { $0.number == waiter }
    }

    /// Time has passed: refuses those who waited too long, closes idle places that are too old.
    public mutating func tick(now: Duration) -> [Action] {
        let late = waiters.prefix { $0.deadline <= now }
        waiters.removeFirst(late.count)
        let worn = idle.filter { isWorn($0, now) }
        idle = idle.filter { !isWorn($0, now) }
        return late.map { .refuse(waiter: $0.number) } + worn.map { close($0) }
    }

    /// Refuses all waiters, closes what is idle, and from now on whatever is given back.
    public mutating func shut() -> [Action] {
        isShut = true
        let refused = waiters.map { Action.refuse(waiter: $0.number) }
        waiters = []
        let closing = idle.map { close($0) }
        idle = []
        return refused + closing
    }

    /// When ``tick(now:)`` has something to do next; `nil` for never.
    public var nextTick: Duration? {
        let wornAt = limits.lifetime.flatMap { lifetime in idle.map { $0.openedAt + lifetime }.min() }
        guard let deadline = waiters.first?.deadline else { return wornAt }
        return wornAt.map { min($0, deadline) } ?? deadline
    }

    private func isWorn(_ place: Place, _ now: Duration) -> Bool {
        limits.lifetime.map { now - place.openedAt >= $0 } ?? false
    }

    private mutating func open(for waiter: UInt64, _ now: Duration) -> Action {
        nextPlace += 1
        opened += 1
        return grant(Place(number: nextPlace, openedAt: now), to: waiter, isNew: true)
    }

    private mutating func grant(_ place: Place, to waiter: UInt64, isNew: Bool) -> Action {
        busy[place.number] = place
        return .grant(waiter: waiter, place: place.number, isNew: isNew)
    }

    private mutating func close(_ place: Place) -> Action {
        closed += 1
        return .close(place: place.number)
    }
}
