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
        begin(call(plannedAt: planned), side: side)
    }

    /// A stream opened in the warm-up is held through what is measured: it belongs to it, and its end too. Only what
    /// came of it before is left out.
    private func call(plannedAt planned: NIODeadline) -> LoadConnection.Call {
        LoadConnection.Call(planned: planned, isWarmUp: !holdsStreams && planned < warmUpEnd)
    }

    private func begin(_ call: LoadConnection.Call, side: Int) {
        tallies[side].planned += call.isWarmUp ? 0 : 1
        if let connection = idle[side].popLast() {
            start(call, on: connection)
        } else if open[side].count + connecting[side] < plan.connectionsPerLoop {
            connect(side, for: call)
        } else if call.isWarmUp {
            tallies[side].warmUpErrors += 1
        } else {
            tallies[side].dropped += 1
        }
    }

    /// Puts another stream in the place of one that ended.
    private func reopen(side: Int) {
        guard holdsStreams, NIODeadline.now() < end else { return }
        begin(call(plannedAt: .now()), side: side)
    }

    /// The same after a failure: with a pause, so that a side that refuses everything isn't hammered.
    private func reopenLater(side: Int) {
        guard holdsStreams else { return }
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { self.reopen(side: side) }
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
                    self.noteFailure(.connect, of: call, side: side)
                    self.reopenLater(side: side)
                    return self.finishIfDone()
                }
                self.open[side][ObjectIdentifier(connection)] = connection
                self.start(call, on: connection)
            }
    }

    // MARK: From connections

    func counted(_ events: Int, of call: LoadConnection.Call, at now: NIODeadline, side: Int) {
        // Streams are cut a little after the end: what comes until then is no part of the run's seconds.
        if !call.isWarmUp, now >= warmUpEnd, !holdsStreams || now < end { tallies[side].events += events }
    }

    /// A gap that began in the warm-up is left out whole.
    func gap(from earlier: NIODeadline, to now: NIODeadline, side: Int) {
        if earlier >= warmUpEnd, now < end { tallies[side].gaps.record(nanoseconds: (now - earlier).nanoseconds) }
    }

    /// An answer is complete.
    func ended(
        _ call: LoadConnection.Call, status: Int, at now: NIODeadline, on connection: LoadConnection, isReusable: Bool
    ) {
        underWay[connection.side] -= 1
        note(call, status: status, at: now, side: connection.side)
        if isReusable {
            idle[connection.side].append(connection)
        } else {
            // Its place is free now, not only when the channel is closed.
            open[connection.side][ObjectIdentifier(connection)] = nil
        }
        // Whatever it answers but a success is not asked for again and again without a pause.
        if (200..<300).contains(status) { reopen(side: connection.side) } else { reopenLater(side: connection.side) }
        finishIfDone()
    }

    private func note(_ call: LoadConnection.Call, status: Int, at now: NIODeadline, side: Int) {
        guard !call.isWarmUp else {
            tallies[side].warmedUp += 1
            if !(200..<300).contains(status) { tallies[side].warmUpErrors += 1 }
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
        open[connection.side][ObjectIdentifier(connection)] = nil
        noteFailure(kind, of: call, side: connection.side)
        reopenLater(side: connection.side)
        finishIfDone()
    }

    private func noteFailure(_ kind: FailureKind, of call: LoadConnection.Call, side: Int) {
        // A stream that is open when the run ends is cut by us.
        if holdsStreams, NIODeadline.now() >= end { return }
        if call.isWarmUp {
            tallies[side].warmUpErrors += 1
        } else {
            tallies[side].failures[kind, default: 0] += 1
        }
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
