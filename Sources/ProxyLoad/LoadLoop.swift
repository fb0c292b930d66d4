import Glibc
import NIOCore
import NIOPosix

/// One event loop's share of a run: every `loops`-th request of the schedule, over connections of its own. Confined to
/// its event loop.
final class LoadLoop {
    private let plan: LoadPlan
    private let eventLoop: any EventLoop
    private let live: LiveFigures
    private let index: Int
    private var arrival: Schedule.Arrival
    /// Streams that followed others: they choose what they ask for by numbers of their own.
    private var reopened = 0
    /// For each side how many requests it has begun: its targets are asked in turn.
    private var turns: [Int]
    private let start: NIODeadline
    private let end: NIODeadline
    private let warmUpEnd: NIODeadline
    /// For each side those of its targets.
    private let lanes: [[LoadLane]]
    /// For each side what is open on all loops.
    private let gauges: [OpenGauge]
    private(set) var tallies: [LoadTally]
    /// How late this generator itself began requests.
    private(set) var lag = Latencies()
    /// What this thread has computed for, once it is finished.
    private(set) var processorTime = Duration.zero
    private let processorTimeBefore: Duration
    private let finished: EventLoopPromise<Void>
    private(set) var isFinished = false

    private let silence: TimeAmount
    let timeout: TimeAmount
    let holdsStreams: Bool

    /// - Parameters:
    ///   - expected: for each side and part of its mix what each answer must hold; `nil` for anything.
    ///   - gauges: one for each side, which all loops share.
    init(
        _ plan: LoadPlan, expected: [[[UInt8]?]], index: Int, eventLoop: any EventLoop, start: NIODeadline,
        live: LiveFigures, gauges: [OpenGauge], finished: EventLoopPromise<Void>
    ) {
        self.plan = plan
        self.gauges = gauges
        self.eventLoop = eventLoop
        self.live = live
        self.index = index
        self.start = start
        self.finished = finished
        arrival = Schedule.Arrival(plan.schedule)
        turns = plan.sides.map { _ in 0 }
        for _ in 0..<index { arrival.advance() }
        end = start + TimeAmount(plan.length)
        warmUpEnd = start + TimeAmount(plan.warmUp)
        timeout = TimeAmount(plan.timeout)
        silence = TimeAmount(plan.silence)
        holdsStreams = plan.holdsStreams
        lanes = plan.sides.enumerated().map { index, side in
            side.targets.map { target in
                LoadLane(
                    side: index, target: target,
                    requests: RequestBuffers(side.mix, to: target, expected: expected[index]))
            }
        }
        tallies = plan.sides.map { _ in LoadTally() }
        processorTimeBefore = Self.processorTime
    }

    /// What the calling thread has computed for since it began.
    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    // MARK: The schedule

    func begin() {
        sweepLater()
        scheduleNext()
    }

    private var due: NIODeadline { start + TimeAmount(arrival.due) }

    private var hasMore: Bool { arrival.number < plan.limit && arrival.due < plan.length }

    private func scheduleNext() {
        guard hasMore else { return }
        eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.fire() }
    }

    /// Begins everything that is due. What is late is begun now and counts as late, never left out.
    private func fire() {
        let now = NIODeadline.now()
        while hasMore, due <= now {
            let planned = due
            // Each loop goes through the sides by its own turns, or with some numbers of loops it would see only one of them; every
            // other loop begins with the other side, so that both get the same.
            let turn = arrival.number / plan.loops
            let side = (plan.schedule.side(of: turn) + index) % plan.sides.count
            let lane = lanes[side][turns[side] % lanes[side].count]
            turns[side] += 1
            // Not before it is begun: of many that are due, the last waits for all others.
            if holdsStreams || planned >= warmUpEnd { lag.record(nanoseconds: (.now() - planned).nanoseconds) }
            // Both sides of a comparison are asked for the same.
            begin(turn / plan.sides.count * plan.loops + index, on: lane, plannedAt: planned)
            for _ in 0..<plan.loops { arrival.advance() }
        }
        scheduleNext()
    }

    private func begin(_ number: Int, on lane: LoadLane, plannedAt planned: NIODeadline) {
        let side = lane.side
        // A stream opened in the warm-up is held through what is measured: it belongs to it, and its end too. Only what
        // came of it before is left out.
        let call = LoadConnection.Call(
            planned: planned, isWarmUp: !holdsStreams && planned < warmUpEnd, request: lane.request(number))
        if !call.isWarmUp {
            tallies[side].planned += 1
            tallies[side].seconds[second(of: planned)].planned += 1
        }
        if let connection = lane.takeIdle() {
            start(call, on: connection)
        } else if lane.size < plan.connections(ofLanes: lanes[side].count) {
            connect(lane, for: call)
        } else {
            let second = second(of: planned)
            noteError(of: call, side: side) {
                $0.dropped += 1
                $0.seconds[second].dropped += 1
            }
        }
    }

    /// The second of what is measured that an instant belongs to.
    private func second(of instant: NIODeadline) -> Int {
        Int(max(0, (instant - warmUpEnd).nanoseconds) / 1_000_000_000)
    }

    /// Puts another stream in the place of one that ended.
    private func reopen(_ lane: LoadLane) {
        guard holdsStreams, NIODeadline.now() < end else { return }
        reopened += 1
        begin(reopened * plan.loops + index, on: lane, plannedAt: .now())
    }

    /// The same after a failure: with a pause, so that a side that refuses everything isn't hammered.
    private func reopenLater(_ lane: LoadLane) {
        guard holdsStreams else { return }
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { self.reopen(lane) }
    }

    private func start(_ call: LoadConnection.Call, on connection: LoadConnection) {
        let side = connection.lane.side
        connection.lane.underWay += 1
        tallies[side].sent += 1
        if !holdsStreams { noteOpened(side) }
        connection.begin(call)
    }

    private func connect(_ lane: LoadLane, for call: LoadConnection.Call) {
        lane.connecting += 1
        let bound = NIOLoopBound((loop: self, lane: lane), eventLoop: eventLoop)
        let target = lane.target
        ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(10))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // One for each channel: of a name with several addresses more than one may be tried.
                    let (loop, lane) = bound.value
                    try loop.plan.tls?.secure(channel, to: target)
                    try channel.pipeline.syncOperations.addHandler(LoadConnection(lane: lane, loop: loop))
                }
            }
            .connect(host: target.host, port: target.port)
            .flatMap { channel in LoadTLS.handshake(of: channel, with: target).map { channel } }
            .assumeIsolated()
            .whenComplete { result in
                lane.connecting -= 1
                guard case .success(let channel) = result,
                    let connection = try? channel.pipeline.syncOperations.handler(type: LoadConnection.self)
                else {
                    self.noteFailure(.connect, of: call, side: lane.side)
                    self.reopenLater(lane)
                    return self.finishIfDone()
                }
                lane.opened(connection)
                self.start(call, on: connection)
            }
    }

    private func noteOpened(_ side: Int) { tallies[side].mostOpen = max(tallies[side].mostOpen, gauges[side].rise()) }

    /// It has ended, and is counted as open where it was: a request once it is sent, a held stream once its answer has begun.
    private func noteEnded(_ call: LoadConnection.Call, on lane: LoadLane) {
        lane.underWay -= 1
        if !holdsStreams || call.firstByte != nil { gauges[lane.side].fall() }
    }

    // MARK: From connections

    /// The first bytes of an answer have come: from now on a stream is open.
    func began(on lane: LoadLane) {
        if holdsStreams { noteOpened(lane.side) }
    }

    func counted(_ events: Int, of call: LoadConnection.Call, at now: NIODeadline, side: Int) {
        guard !call.isWarmUp, now >= warmUpEnd else { return }
        // Streams are cut a little after the end: what comes until then is no part of the run's seconds.
        if !holdsStreams || now < end { tallies[side].events += events }
        if now < end { tallies[side].seconds[second(of: now)].events += events }
    }

    /// The head of a success has come.
    func answered(_ call: LoadConnection.Call, side: Int) {
        guard !call.isWarmUp, let firstByte = call.firstByte else { return }
        tallies[side].firstByte.record(nanoseconds: (firstByte - call.sent).nanoseconds)
    }

    /// A gap that began in the warm-up is left out whole.
    func gap(from earlier: NIODeadline, to now: NIODeadline, side: Int) {
        if earlier >= warmUpEnd, !holdsStreams || now < end {
            tallies[side].gaps.record(nanoseconds: (now - earlier).nanoseconds)
        }
    }

    /// An answer is complete.
    func ended(
        _ call: LoadConnection.Call, status: Int, at now: NIODeadline, on connection: LoadConnection, isReusable: Bool
    ) {
        let lane = connection.lane
        noteEnded(call, on: lane)
        note(call, status: status, at: now, side: lane.side)
        // The place of one that closes is free now, not only when the channel is closed.
        isReusable ? lane.giveBack(connection) : lane.release(connection)
        // Whatever it answers but a success is not asked for again and again without a pause.
        if (200..<300).contains(status) { reopen(lane) } else { reopenLater(lane) }
        finishIfDone()
    }

    func failed(_ call: LoadConnection.Call, _ kind: FailureKind, on connection: LoadConnection) {
        noteEnded(call, on: connection.lane)
        connection.lane.release(connection)
        noteFailure(kind, of: call, side: connection.lane.side)
        reopenLater(connection.lane)
        finishIfDone()
    }

    func closed(_ connection: LoadConnection) { connection.lane.closed(connection) }

    // MARK: Counting

    private func note(_ call: LoadConnection.Call, status: Int, at now: NIODeadline, side: Int) {
        guard (200..<300).contains(status) else { return noteFailure(.status, of: call, side: side) }
        tallies[side].acknowledged += 1
        if now >= warmUpEnd, now < end {
            tallies[side].carried += 1
            tallies[side].seconds[second(of: now)].answered += 1
        }
        guard !call.isWarmUp else {
            tallies[side].warmedUp += 1
            return
        }
        let latency = (now - call.planned).nanoseconds
        tallies[side].succeeded += 1
        tallies[side].seconds[second(of: call.planned)].latencies.record(nanoseconds: latency)
        tallies[side].corrected.record(nanoseconds: latency)
        tallies[side].uncorrected.record(nanoseconds: (now - call.sent).nanoseconds)
    }

    private func noteFailure(_ kind: FailureKind, of call: LoadConnection.Call, side: Int) {
        // A stream that is open when the run ends is cut by us.
        if holdsStreams, kind != .status, NIODeadline.now() >= end { return }
        noteError(of: call, side: side) { $0.failures[kind, default: 0] += 1 }
    }

    /// An error of the warm-up is no part of the verdict.
    private func noteError(of call: LoadConnection.Call, side: Int, _ count: (inout LoadTally) -> Void) {
        guard !call.isWarmUp else { return tallies[side].warmUpErrors += 1 }
        count(&tallies[side])
        // A stream breaks when it does, however long it was open.
        let now = NIODeadline.now()
        let instant = holdsStreams ? min(now, end - .nanoseconds(1)) : call.planned
        tallies[side].seconds[second(of: instant)].failed += 1
    }

    // MARK: The end

    private func sweep() {
        let now = NIODeadline.now()
        // A second is told of once most of its answers have come.
        live.note(tallies, second: now > warmUpEnd ? second(of: now) - 1 : -1, loop: index)
        if holdsStreams, now >= warmUpEnd, now < end { noteOpenStreams(in: second(of: now)) }
        for connection in lanes.joined().flatMap(\.open.values) where connection.deadline <= now {
            connection.fail(.timeout)
        }
        finishIfDone()
        if !isFinished { sweepLater() }
    }

    private func noteOpenStreams(in second: Int) {
        for side in tallies.indices {
            tallies[side].seconds[second].open = max(tallies[side].seconds[second].open, gauges[side].count)
        }
    }

    private func sweepLater() {
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { self.sweep() }
    }

    private func finishIfDone() {
        guard !isFinished, NIODeadline.now() >= end, !hasMore else { return }
        guard holdsStreams || lanes.joined().allSatisfy({ $0.underWay + $0.connecting == 0 }) else { return }
        isFinished = true
        processorTime = Self.processorTime - processorTimeBefore
        for connection in lanes.joined().flatMap(\.open.values) {
            // A stream of which nothing had come by the end was never open, unless it had only just been asked for.
            if let call = connection.call, call.firstByte == nil, NIODeadline.now() - call.sent > silence {
                noteError(of: call, side: connection.lane.side) { $0.failures[.timeout, default: 0] += 1 }
            }
            connection.close()
        }
        finished.succeed()
    }
}
