import NIOCore
import ProxyDomain
import ProxyLedger
import Synchronization

/// What one event loop needs to relay requests. Confined to that loop, so nothing in it is locked.
final class RelayLoop {
    let eventLoop: any EventLoop
    let settings: RelaySettings
    let dependencies: RelayDependencies
    /// Whether requests are logged: asked for each, where a look at the log itself would take it for a moment.
    let isLogging: Bool
    let census: RelayCensus
    let meter: RelayMeter
    let projects: ProjectPlaces
    var grants: GrantCache
    var endpoints = EndpointMemory()
    var identifiers: RequestIdentifiers
    let upstreams: UpstreamPool
    /// What all providers say together, and the epoch as of which that was asked.
    private var known: (ProviderOverview, epoch: UInt64)
    /// Where this loop hears of admissions; set once, before the first connection.
    var receiver: ReceiverID?
    private(set) var isDraining = false
    private var generation: UInt32 = 0
    private var downstreams = Roster<DownstreamConnection>()
    private var http2Connections = Roster<HTTP2Connection>()
    /// Requests that wait for the same grant, by secret: it is asked for once.
    private var lookUps: [TokenSecret: LookUp] = [:]
    private var lastLookUp: UInt64 = 0

    /// A question for a grant, and the tickets of those who wait for its answer.
    private struct LookUp {
        let number: UInt64
        var tickets: [UInt64]
        var timeout: Scheduled<Void>?
    }

    init(
        eventLoop: any EventLoop, settings: RelaySettings, dependencies: RelayDependencies, census: RelayCensus,
        meter: RelayMeter, projects: ProjectPlaces
    ) {
        self.eventLoop = eventLoop
        self.settings = settings
        self.dependencies = dependencies
        isLogging = dependencies.log != nil
        self.census = census
        self.meter = meter
        self.projects = projects
        let epoch = dependencies.epoch.current
        grants = GrantCache(epoch: dependencies.epoch)
        known = (dependencies.providers(), epoch)
        identifiers = RequestIdentifiers(seed: dependencies.seed())
        upstreams = UpstreamPool(
            eventLoop: eventLoop, settings: settings, tls: dependencies.tls, meter: meter)
    }

    /// Looks at every deadline again and again until the event loop shuts down.
    func startSweeping() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleRepeatedTask(initialDelay: settings.sweepInterval, delay: settings.sweepInterval) { _ in
            bound.value.sweep()
        }
    }

    private func sweep() {
        let now = NIODeadline.now()
        downstreams.forEach { $0.sweep(at: now) }
        http2Connections.forEach { $0.sweep(at: now) }
        upstreams.sweep(at: now)
    }

    /// What all providers say together.
    var providers: ProviderOverview {
        let epoch = grants.currentEpoch
        if known.epoch != epoch { known = (dependencies.providers(), epoch) }
        return known.0
    }

    // MARK: Connections

    func join(_ connection: DownstreamConnection) -> Int {
        if !connection.isCarried { census.connections.add(1, ordering: .relaxed) }
        return downstreams.add(connection)
    }

    func leave(_ connection: DownstreamConnection, slot: Int) {
        if !connection.isCarried { census.connections.subtract(1, ordering: .relaxed) }
        downstreams.remove(slot)
    }

    func join(_ connection: HTTP2Connection) -> Int {
        census.connections.add(1, ordering: .relaxed)
        let slot = http2Connections.add(connection)
        if isDraining { connection.drain() }
        return slot
    }

    func leave(_ connection: HTTP2Connection, slot: Int) {
        census.connections.subtract(1, ordering: .relaxed)
        http2Connections.remove(slot)
    }

    /// A name for the next request of the connection at `slot`: never 0, and not the name of any other in flight.
    func nextTicket(for slot: Int) -> UInt64 {
        generation = generation == .max ? 1 : generation + 1
        return UInt64(slot) << 32 | UInt64(generation)
    }

    /// Idle connections are closed now, the others after the answer they are busy with.
    func drain() {
        isDraining = true
        downstreams.forEach { $0.drain() }
        http2Connections.forEach { $0.drain() }
    }

    /// Cuts every connection that is left.
    func abandon() {
        downstreams.forEach { $0.abandon() }
        http2Connections.forEach { $0.abandon() }
        upstreams.closeAll()
    }

    // MARK: Answers from other threads

    /// The ledger has decided. A ticket of an exchange that has ended is ignored.
    func deliver(_ decisions: [AdmissionDecision]) {
        for decision in decisions {
            exchange(for: decision.ticket)?.admissionDecided(decision.verdict)
        }
    }

    /// Finds a grant that the cache doesn't hold, and tells every exchange that waits for it.
    func askForGrant(_ secret: TokenSecret, ticket: UInt64) {
        if lookUps[secret] != nil {
            lookUps[secret]?.tickets.append(ticket)
            return
        }
        lastLookUp += 1
        let number = lastLookUp
        lookUps[secret] = LookUp(number: number, tickets: [ticket])
        let asked = grants.currentEpoch
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let source = dependencies.grants
        let eventLoop = eventLoop
        let asking = Task {
            let answer: Result<Grant?, GrantSourceError>
            do throws(GrantSourceError) {
                answer = .success(try await source.grant(for: secret))
            } catch {
                answer = .failure(error)
            }
            eventLoop.execute { bound.value.grantFound(answer, for: secret, by: number, asOf: asked) }
        }
        lookUps[secret]?.timeout = eventLoop.scheduleTask(in: settings.databaseTimeout) {
            asking.cancel()
            // Who comes now asks anew, over another connection.
            bound.value.grantFound(.failure(.unavailable), for: secret, by: number, asOf: asked)
        }
    }

    private func grantFound(
        _ answer: Result<Grant?, GrantSourceError>, for secret: TokenSecret, by number: UInt64, asOf asked: UInt64
    ) {
        if case .success(let grant) = answer {
            grants.store(grant.map { .known($0) } ?? .unknownToken, for: secret, asOf: asked)
        }
        guard let lookUp = lookUps[secret], lookUp.number == number else { return }
        lookUps[secret] = nil
        lookUp.timeout?.cancel()
        for ticket in lookUp.tickets { exchange(for: ticket)?.grantFound(answer, asOf: asked) }
    }

    private func exchange(for ticket: UInt64) -> Exchange? {
        guard let exchange = downstreams[Int(ticket >> 32)]?.exchange, exchange.ticket == ticket else { return nil }
        return exchange
    }
}

/// How much is going on over all loops.
final class RelayCensus: Sendable {
    /// Requests for an upstream whose end has not come. Relaxed: a bound, not a fence.
    let requests = Atomic<Int>(0)
    /// Client connections.
    let connections = Atomic<Int>(0)
}

/// Things at stable places: adding and removing one moves no other.
struct Roster<Member: AnyObject> {
    private var members: [Member?] = []
    private var free: [Int] = []

    mutating func add(_ member: Member) -> Int {
        guard let slot = free.popLast() else {
            members.append(member)
            return members.count - 1
        }
        members[slot] = member
        return slot
    }

    mutating func remove(_ slot: Int) {
        members[slot] = nil
        free.append(slot)
    }

    subscript(slot: Int) -> Member? { members.indices.contains(slot) ? members[slot] : nil }

    /// Visits those that are members now; `visit` may cause members to be removed.
    func forEach(_ visit: (Member) -> Void) {
        for member in members { if let member { visit(member) } }
    }
}
