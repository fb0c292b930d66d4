import Glibc
import NIOCore
import NIOPosix

/// Carries a plan out.
public enum LoadRun {
    /// Runs for as long as the plan says, and until the last answer has come or timed out.
    /// - Throws: ``LoadError/unreachable(address:reason:)`` when nothing listens at one of the sides; then nothing was
    ///   sent.
    public static func run(_ plan: LoadPlan, live: LiveFigures = LiveFigures()) async throws(LoadError) -> LoadReport {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: plan.loops)
        do throws(LoadError) {
            for target in plan.sides.flatMap(\.targets) {
                guard plan.tls != nil || !target.isTLS else {
                    throw .unreachable(address: target.authority, reason: "TLS is not set up")
                }
                try await knock(at: target, group)
            }
            let expected = try await references(plan, group)
            let report = await drive(plan, expected, live, group)
            try? await group.shutdownGracefully()
            return report
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func knock(at target: LoadTarget, _ group: MultiThreadedEventLoopGroup) async throws(LoadError) {
        do {
            let channel = try await ClientBootstrap(group: group).connectTimeout(.seconds(5))
                .connect(host: target.host, port: target.port).get()
            try? await channel.close()
        } catch {
            throw .unreachable(address: target.authority, reason: "\(error)")
        }
    }

    /// What every answer must hold, for each side and part; asked for once.
    private static func references(
        _ plan: LoadPlan, _ group: MultiThreadedEventLoopGroup
    ) async throws(LoadError) -> [[[UInt8]?]] {
        guard let reference = plan.contentReference else {
            return plan.sides.map { $0.mix.parts.map { _ in nil } }
        }
        var known: [LoadRequest: [UInt8]] = [:]
        let token = plan.sides.last { $0.targets.contains(reference) }?.mix.tokens.first
        for part in plan.sides.flatMap(\.mix.parts) where known[part.request] == nil {
            let answer = try await PlainExchange.send(
                part.request, to: reference, token: token, timeout: plan.timeout, tls: plan.tls, on: group)
            guard answer.status == 200 else {
                throw .noReference("\(reference.displayed) answered with status \(answer.status)")
            }
            known[part.request] = answer.body
        }
        return plan.sides.map { $0.mix.parts.map { [known] in known[$0.request] } }
    }

    /// Negative for what is past, or not asked for.
    private static func timeUntil(_ secondsSince1970: Double?) -> TimeAmount {
        guard let secondsSince1970 else { return .zero }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let seconds = secondsSince1970 - Double(now.tv_sec) - Double(now.tv_nsec) / 1e9
        return .nanoseconds(Int64(seconds * 1e9))
    }

    private static func drive(
        _ plan: LoadPlan, _ expected: [[[UInt8]?]], _ live: LiveFigures, _ group: MultiThreadedEventLoopGroup
    ) async -> LoadReport {
        // A moment for every loop to be ready before the first request is due.
        let start = NIODeadline.now() + max(.milliseconds(50), timeUntil(plan.startsAt))
        let gauges = plan.sides.map { _ in OpenGauge() }
        let loops = group.makeIterator().enumerated().map { index, eventLoop in
            let finished = eventLoop.makePromise(of: Void.self)
            let made = eventLoop.submit {
                let loop = LoadLoop(
                    plan, expected: expected, index: index, eventLoop: eventLoop, start: start, live: live,
                    gauges: gauges, finished: finished)
                loop.begin()
                return NIOLoopBound(loop, eventLoop: eventLoop)
            }
            return made.flatMap { loop in
                finished.futureResult.map { (loop.value.tallies, loop.value.lag, loop.value.processorTime) }
            }
        }
        var tallies = plan.sides.map { _ in LoadTally() }
        var lag = Latencies()
        var processorTime = Duration.zero
        for loop in loops {
            guard let (theirs, late, computed) = try? await loop.get() else { continue }
            processorTime += computed
            for side in tallies.indices { tallies[side].add(theirs[side]) }
            lag.add(late)
        }
        return LoadReport(
            plan, tallies: tallies, lag: lag, processorTime: processorTime, cores: System.coreCount)
    }
}
