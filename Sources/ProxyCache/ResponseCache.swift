import NIOCore
public import ProxyDomain
public import Synchronization

/// The answers that this server holds, and the requests under way whose answers it will.
///
/// Shared by all event loops; each call takes a lock for as long as it takes to look something up.
public final class ResponseCache: Sendable {
    /// A request on its way to an answer that others may wait for.
    public struct Flight: Hashable, Sendable {
        let key: CacheKey
        let number: UInt64
        /// The number of the last purge of all servers when it began.
        public let lastPurge: Int64
    }

    /// What became of a request that others waited for.
    public enum FlightEnd: Sendable {
        case stored(StoredResponse)
        /// Its answer is its alone: each goes its own way.
        case notStored
        /// It got none: one of the others may try.
        case abandoned
    }

    public typealias Wake = @Sendable (FlightEnd) -> Void

    /// What is known of a flight while its answer may be held. Gone when something was purged, or changed at its path.
    private struct OpenFlight {
        let key: CacheKey
        let project: ProjectID
        let path: String
        var waiting: [Wake] = []
    }

    private struct State {
        var shelf: ResponseShelf
        var flights: [UInt64: OpenFlight] = [:]
        /// The flight that others wait for.
        var leaders: [CacheKey: UInt64] = [:]
        var lastFlight: UInt64 = 0
        /// Keys whose last answer was held: the next one will be too, as far as anybody can tell.
        var promising: Set<CacheKey> = []
        var lastPurge: Int64 = 0
        /// Purges carried out here before those numbered before them were known: their turn comes, and changes nothing.
        var purgedAhead: Set<Int64> = []

        /// Gives whether a purge is still to be carried out here.
        mutating func note(_ number: Int64, isAhead: Bool) -> Bool {
            if isAhead {
                if number > lastPurge { purgedAhead.insert(number) }
                return true
            }
            lastPurge = max(lastPurge, number)
            return purgedAhead.remove(number) == nil
        }

        /// Ends flights whose answers are not to be held. Gives those who waited for them.
        mutating func ground(where isWanted: (OpenFlight) -> Bool) -> [Wake] {
            var waiting: [Wake] = []
            for (number, flight) in flights where isWanted(flight) {
                waiting += flight.waiting
                flights[number] = nil
                if leaders[flight.key] == number { leaders[flight.key] = nil }
            }
            return waiting
        }
    }

    private let state: Mutex<State>
    private let held = Atomic<Int>(0)
    /// Answers that GET gave, and flights: what a change can invalidate.
    private let changeable = Atomic<Int>(0)
    public let counters = CacheCounters()

    private static let mostPromising = 8192

    /// - Parameters:
    ///   - maxBytes: most bytes held; what was given last stays longest.
    ///   - notesUses: whether ``takeUsed()`` will be asked.
    public init(maxBytes: Int, notesUses: Bool = false) {
        state = Mutex(State(shelf: ResponseShelf(maxBytes: maxBytes, notesUses: notesUses)))
    }

    /// How many answers it holds; may be told a little late.
    public var count: Int { held.load(ordering: .relaxed) }

    /// The answer it holds for a key, fresh or stale.
    public func response(for key: CacheKey) -> StoredResponse? {
        count == 0 ? nil : state.withLock { $0.shelf.take(key) }
    }

    /// The keys of answers that were put here or given since it was asked last, for a cache that notes them.
    public func takeUsed() -> Set<CacheKey> { state.withLock { $0.shelf.takeUsed() } }

    /// Goes for an answer. `nil` when another request does: then `wake` is told what becomes of that, from any thread.
    ///
    /// Nobody waits for what may be another's alone: only where an answer was held before, or `isPromising` says that it will be.
    public func begin(
        _ key: CacheKey, of project: ProjectID, at path: String, isPromising: Bool = false, orWait wake: Wake?
    ) -> Flight? {
        state.withLock { state in
            let leader = state.leaders[key]
            if let wake, let leader, isPromising || state.promising.contains(key) {
                state.flights[leader]?.waiting.append(wake)
                return nil
            }
            state.lastFlight += 1
            state.flights[state.lastFlight] = OpenFlight(key: key, project: project, path: path)
            if leader == nil { state.leaders[key] = state.lastFlight }
            publish(state)
            return Flight(key: key, number: state.lastFlight, lastPurge: state.lastPurge)
        }
    }

    /// Tells those who wait that they need not, though the answer may yet be held.
    public func release(_ flight: Flight) {
        let waiting = state.withLock { state -> [Wake] in
            if state.leaders[flight.key] == flight.number { state.leaders[flight.key] = nil }
            defer { state.flights[flight.number]?.waiting = [] }
            return state.flights[flight.number]?.waiting ?? []
        }
        for wake in waiting { wake(.notStored) }
    }

    /// The answer has come, or none will. It isn't held if it was purged or changed since the request began.
    /// - Returns: whether it is held.
    @discardableResult
    public func end(_ flight: Flight, _ end: FlightEnd) -> Bool {
        let (isHeld, waiting) = state.withLock { state -> (Bool, [Wake]) in
            guard let open = state.flights.removeValue(forKey: flight.number) else { return (false, []) }
            if state.leaders[flight.key] == flight.number { state.leaders[flight.key] = nil }
            var isHeld = false
            switch end {
            case .stored(let response): isHeld = hold(response, for: flight.key, &state)
            case .notStored: state.promising.remove(flight.key)
            case .abandoned: break
            }
            publish(state)
            return (isHeld, open.waiting)
        }
        for wake in waiting { wake(end) }
        return isHeld
    }

    private func hold(_ response: StoredResponse, for key: CacheKey, _ state: inout State) -> Bool {
        let evicted = state.shelf.put(response, for: key)
        counters.evicted.add(evicted, ordering: .relaxed)
        guard state.shelf.contains(key) else { return false }
        if state.promising.count >= Self.mostPromising { state.promising = [] }
        state.promising.insert(key)
        counters.stored.add(1, ordering: .relaxed)
        return true
    }

    private func publish(_ state: borrowing State) {
        held.store(state.shelf.count, ordering: .relaxed)
        changeable.store(state.shelf.pathCount + state.flights.count, ordering: .relaxed)
        counters.heldBytes.store(state.shelf.bytes, ordering: .relaxed)
    }

    /// Forgets answers, and keeps those from being held that are under way: nobody knows yet what they are.
    /// - Parameters:
    ///   - number: the purge's among those of all servers, where there are others.
    ///   - isAhead: whether some before it may not be known here yet. It isn't carried out again when its turn comes: what
    ///     was asked for in between is held.
    /// - Returns: how many were forgotten.
    @discardableResult
    public func purge(_ purge: CachePurge, number: Int64? = nil, isAhead: Bool = false) -> Int {
        let (removed, waiting) = state.withLock { state -> (Int, [Wake]) in
            if let number, !state.note(number, isAhead: isAhead) { return (0, []) }
            let waiting = state.ground { _ in true }
            let removed = state.shelf.remove {
                purge.includes(project: $0.project, method: $0.method, url: $0.url)
            }
            publish(state)
            return (removed, waiting)
        }
        for wake in waiting { wake(.notStored) }
        return removed
    }

    /// Forgets everything, and counts purges from another number on.
    public func begin(after purge: Int64) {
        self.purge(CachePurge())
        state.withLock {
            $0.lastPurge = purge
            $0.purgedAhead = []
        }
    }

    /// The number of the last purge of all servers that this one knows of.
    public var lastPurge: Int64 {
        get { state.withLock { $0.lastPurge } }
        set { state.withLock { $0.lastPurge = max($0.lastPurge, newValue) } }
    }

    /// Something was changed at a path: what GET gave there is no more (RFC 9111 section 4.4), nor what it is giving.
    /// - Parameter project: whose; `nil` for all.
    /// - Returns: whether there was any.
    public func invalidate(_ project: ProjectID?, path: String) -> Bool {
        guard changeable.load(ordering: .relaxed) > 0 else { return false }
        let (removed, waiting) = state.withLock { state -> (Int, [Wake]) in
            let waiting = state.ground { (project == nil || $0.project == project) && $0.path == path }
            let removed = state.shelf.removeGets(of: project, at: path)
            publish(state)
            return (removed, waiting)
        }
        for wake in waiting { wake(.notStored) }
        return removed > 0
    }
}

/// What the metrics tell of the cache. Relaxed: figures, not fences.
public final class CacheCounters: Sendable {
    public let hits = Atomic<Int>(0)
    /// Requests that waited for another's answer, and were given it.
    public let collapsed = Atomic<Int>(0)
    /// Stale answers that the upstream said still hold.
    public let validated = Atomic<Int>(0)
    public let misses = Atomic<Int>(0)
    public let stored = Atomic<Int>(0)
    public let evicted = Atomic<Int>(0)
    public let heldBytes = Atomic<Int>(0)
}
