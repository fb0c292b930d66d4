public import ProxyConformance

/// The catalogue of what clients and upstreams see, against a proxy that runs somewhere.
public struct BlackBoxRun: Sendable {
    /// What the proxy is expected to be.
    public enum Profile: String, CaseIterable, Sendable {
        /// Ours: management API and error codes included.
        case ours
        /// Any proxy for OpenAI's API: statuses, and errors that its clients can show.
        case openAIProxy = "openai-proxy"
    }

    public let proxy: BlackBoxProxy
    public let profile: Profile
    /// Begins the identifiers of what is run; empty for all.
    public let prefix: String
    /// For one scenario; another that hangs must not keep the rest.
    private static let patience = Duration.seconds(120)

    public init(_ proxy: BlackBoxProxy, profile: Profile, prefix: String = "") {
        self.proxy = proxy
        self.profile = profile
        self.prefix = prefix
    }

    /// Runs one scenario after the other.
    /// - Parameter ended: told of each.
    public func run(ended: @Sendable (RunReport.Entry) -> Void) async -> RunReport {
        var report = RunReport()
        for scenario in HTTPScenario.all where scenario.id.hasPrefix(prefix) {
            proxy.clear()
            let start = ContinuousClock.now
            let verdict = await verdict(on: scenario)
            let entry = RunReport.Entry(
                catalogue: "http", scenario: scenario.id, promise: scenario.promise, backend: profile.rawValue,
                verdict: verdict, duration: .now - start)
            report.record(entry)
            ended(entry)
        }
        return report
    }

    private func verdict(on scenario: HTTPScenario) async -> Verdict {
        await withTaskGroup(of: Verdict?.self) { group in
            group.addTask { await scenario.run(against: proxy, wantsOurCodes: profile == .ours) }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            let first = await group.next() ?? nil
            // Ends whatever still waits for the upstream double.
            if first == nil { proxy.clear() }
            group.cancelAll()
            return first ?? .unfinished(after: Self.patience, at: scenario.place)
        }
    }
}
