import NIOCore
import NIOPosix

/// One event loop's share of a run: every `loops`-th request of the schedule, over connections of its own. Confined to
/// its event loop.
final class LoadLoop {
    private let plan: LoadPlan
    private let eventLoop: any EventLoop
    private let step: Int
    private var next: Int
    private let start: NIODeadline
    private let end: NIODeadline
    private let warmUpEnd: NIODeadline
    private let requests: [ByteBuffer]
    private var idle: [[LoadConnection]]
    private var open: [[ObjectIdentifier: LoadConnection]]
    private var connecting: [Int]
    private var underWay: [Int]
    private(set) var tallies: [LoadTally]
    /// How late this generator itself began requests.
    private(set) var lag = Latencies()
    private let finished: EventLoopPromise<Void>
    private var isFinished = false

    let timeout: TimeAmount
    let holdsStreams: Bool

    init(_ plan: LoadPlan, index: Int, eventLoop: any EventLoop, start: NIODeadline, finished: EventLoopPromise<Void>) {
        self.plan = plan
        self.eventLoop = eventLoop
        self.start = start
        self.finished = finished
        step = plan.loops
        next = index
        end = start + TimeAmount(plan.length)
        warmUpEnd = start + TimeAmount(plan.warmUp)
        timeout = TimeAmount(plan.timeout)
        holdsStreams = plan.holdsStreams
        requests = plan.sides.map { ByteBuffer(bytes: $0.request.bytes(to: $0.target)) }
        idle = plan.sides.map { _ in [] }
        open = plan.sides.map { _ in [:] }
        connecting = plan.sides.map { _ in 0 }
        underWay = plan.sides.map { _ in 0 }
        tallies = plan.sides.map { _ in LoadTally() }
    }

    // MARK: The schedule

    func begin() {
        sweepLater()
        scheduleNext()
    }

    private func due(_ number: Int) -> NIODeadline { start + TimeAmount(plan.schedule.due(number)) }

    private func scheduleNext() {
        guard next < plan.planned else { return }
        eventLoop.assumeIsolated().scheduleTask(deadline: due(next)) { self.fire() }
    }

    /// Begins everything that is due. What is late is begun now and counts as late, never left out.
    private func fire() {
        let now = NIODeadline.now()
        while next < plan.planned, due(next) <= now {
            let planned = due(next)
            lag.record(nanoseconds: (now - planned).nanoseconds)
            begin(side: plan.schedule.side(of: next), planned: planned)
            next += step
        }
        scheduleNext()
    }

    private func begin(side: Int, planned: NIODeadline) {
        let call = LoadConnection.Call(planned: planned, isWarmUp: planned < warmUpEnd)
        tallies[side].planned += call.isWarmUp ? 0 : 1
        if let connection = idle[side].popLast() {
            start(call, on: connection)
        } else if open[side].count + connecting[side] < plan.connectionsPerLoop {
            connect(side, for: call)
        } else if !call.isWarmUp {
            tallies[side].dropped += 1
        }
    }

    private func start(_ call: LoadConnection.Call, on connection: LoadConnection) {
        underWay[connection.side] += 1
        tallies[connection.side].mostOpen = max(tallies[connection.side].mostOpen, underWay[connection.side])
        connection.begin(call)
    }

    private func connect(_ side: Int, for call: LoadConnection.Call) {
        connecting[side] += 1
        let target = plan.sides[side].target
        let connection = LoadConnection(
            side: side, request: requests[side], method: plan.sides[side].request.wireMethod, loop: self)
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .connect(host: target.host, port: target.port)
            .assumeIsolated()
            .whenComplete { result in
                self.connecting[side] -= 1
                guard case .success = result else {
                    if !call.isWarmUp { self.tallies[side].failures[.connect, default: 0] += 1 }
                    return self.finishIfDone()
                }
                self.open[side][ObjectIdentifier(connection)] = connection
                self.start(call, on: connection)
            }
    }

    // MARK: From connections

    func counted(_ events: Int, of call: LoadConnection.Call, side: Int) {
        if !call.isWarmUp { tallies[side].events += events }
    }

    func gap(_ time: TimeAmount, side: Int) { tallies[side].gaps.record(nanoseconds: time.nanoseconds) }

    /// An answer is complete.
    func ended(
        _ call: LoadConnection.Call, status: Int, at now: NIODeadline, on connection: LoadConnection, isReusable: Bool
    ) {
        underWay[connection.side] -= 1
        note(call, status: status, at: now, side: connection.side)
        if holdsStreams, isReusable, now < end {
            let next = LoadConnection.Call(planned: now, isWarmUp: now < warmUpEnd)
            tallies[connection.side].planned += next.isWarmUp ? 0 : 1
            start(next, on: connection)
        } else if isReusable {
            idle[connection.side].append(connection)
        }
        finishIfDone()
    }

    private func note(_ call: LoadConnection.Call, status: Int, at now: NIODeadline, side: Int) {
        guard !call.isWarmUp else {
            tallies[side].warmedUp += 1
            return
        }
        guard (200..<300).contains(status) else {
            tallies[side].failures[.status, default: 0] += 1
            return
        }
        tallies[side].succeeded += 1
        tallies[side].corrected.record(nanoseconds: (now - call.planned).nanoseconds)
        tallies[side].uncorrected.record(nanoseconds: (now - call.sent).nanoseconds)
        tallies[side].firstByte.record(nanoseconds: ((call.firstByte ?? now) - call.sent).nanoseconds)
    }

    func failed(_ call: LoadConnection.Call, _ kind: FailureKind, on connection: LoadConnection) {
        underWay[connection.side] -= 1
        // A stream that is open when the run ends is cut by us.
        if !call.isWarmUp, !(holdsStreams && NIODeadline.now() >= end) {
            tallies[connection.side].failures[kind, default: 0] += 1
        }
        finishIfDone()
    }

    func closed(_ connection: LoadConnection) {
        open[connection.side][ObjectIdentifier(connection)] = nil
        idle[connection.side].removeAll { $0 === connection }
    }

    // MARK: The end

    private func sweep() {
        let now = NIODeadline.now()
        for connection in open.flatMap(\.values) where connection.deadline <= now { connection.fail(.timeout) }
        finishIfDone()
        if !isFinished { sweepLater() }
    }

    private func sweepLater() {
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { self.sweep() }
    }

    private func finishIfDone() {
        guard !isFinished, NIODeadline.now() >= end, next >= plan.planned else { return }
        guard holdsStreams || (underWay + connecting).allSatisfy({ $0 == 0 }) else { return }
        isFinished = true
        for connection in open.flatMap(\.values) { connection.close() }
        finished.succeed()
    }
}
