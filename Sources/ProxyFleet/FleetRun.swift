public import ProxyLoad

/// Runs load through a fleet, and asks everybody afterwards.
public enum FleetRun {
    /// What is sent.
    public struct Traffic: Sendable {
        public var mode: LoadPlan.Mode
        public var parts: [LoadMix.Part]
        /// How unevenly tokens are used; see ``LoadMix``.
        public var skew: Double
        public var warmUp: Duration
        public var duration: Duration
        public var connections: Int
        public var timeout: Duration
        /// Threads that send.
        public var loops: Int
        /// Whether each second request goes to the upstream without a server between, so that added latency is known.
        public var isCompared: Bool
        /// Whether every answer's content is compared with what the upstream sends.
        public var checksContent: Bool

        public init(
            mode: LoadPlan.Mode, parts: [LoadMix.Part], skew: Double = 0, warmUp: Duration = .seconds(2),
            duration: Duration = .seconds(10), connections: Int = 256, timeout: Duration = .seconds(30),
            loops: Int = 1, isCompared: Bool = true, checksContent: Bool = true
        ) {
            self.mode = mode
            self.parts = parts
            self.skew = skew
            self.warmUp = warmUp
            self.duration = duration
            self.connections = connections
            self.timeout = timeout
            self.loops = loops
            self.isCompared = isCompared
            self.checksContent = checksContent
        }

        func plan(through fleet: Fleet) throws(LoadError) -> LoadPlan {
            var sides = [
                LoadPlan.Side(
                    targets: fleet.servers, mix: try LoadMix(parts, tokens: fleet.tokens, skew: skew))
            ]
            if isCompared { sides.append(LoadPlan.Side(targets: [fleet.direct], mix: try LoadMix(parts))) }
            return LoadPlan(
                mode: mode, sides: sides, warmUp: warmUp, duration: duration, connections: connections,
                timeout: timeout, loops: loops, contentReference: checksContent ? fleet.direct : nil)
        }
    }

    /// Starts a fleet, runs the traffic, waits until all is counted, and stops everything.
    /// - Parameters:
    ///   - provenance: told in the record.
    ///   - disturbance: something that happens to the fleet meanwhile.
    /// - Throws: `FleetError`, `LoadError`; nothing is left running.
    public static func run(
        _ plan: FleetPlan, _ traffic: Traffic, title: String, provenance: RunProvenance? = nil,
        thresholds: [Threshold] = [], live: LiveFigures = LiveFigures(),
        disturbance: @escaping @Sendable (Fleet) async -> Void = { _ in }
    ) async throws -> RunRecord {
        let fleet = try await Fleet.start(plan)
        do {
            let record = try await run(through: fleet, traffic, title, provenance, thresholds, live, disturbance)
            await fleet.stop()
            return record
        } catch {
            await fleet.stop()
            throw error
        }
    }

    private static func run(
        through fleet: Fleet, _ traffic: Traffic, _ title: String, _ provenance: RunProvenance?,
        _ thresholds: [Threshold], _ live: LiveFigures, _ disturbance: @escaping @Sendable (Fleet) async -> Void
    ) async throws -> RunRecord {
        let load = try traffic.plan(through: fleet)
        let sampler = FleetSampler(fleet)
        let sampling = Task { await sampler.run() }
        let disturbing = Task { await disturbance(fleet) }
        defer {
            sampling.cancel()
            disturbing.cancel()
        }
        let report = try await LoadRun.run(load, live: live)
        sampling.cancel()
        _ = await disturbing.value
        return RunRecord(
            title: title, provenance: provenance, report: report, audit: try await fleet.audit([report]),
            samples: sampler.all,
            thresholds: thresholds)
    }
}
