/// One promise that a proxy keeps towards its clients and its upstream, and the steps that show it kept.
public struct HTTPScenario: Sendable {
    /// Stable name, `area.act.promise`. Never reused for another promise.
    public let id: String
    /// The promise, as one sentence.
    public let promise: String
    /// What a world must have for this promise to apply to it.
    public let needs: WorldCapabilities
    public let tags: ScenarioTags
    /// Settings that differ from the world's own, by name. `{upstream}` in a value stands for the upstream double's
    /// address (`http://host:port`), `{simulator}` for the simulator's, `{tls-by-name}` and `{tls-by-address}` for
    /// addresses of an upstream behind TLS whose certificate is for its name, `{authority}` for the PEM file of the
    /// authority that issued it. A value that begins with `{file}` stands for the path of a file with the rest as its text.
    public let settings: [String: String]
    /// Where in the catalogue it is written.
    public let place: Check.Line
    private let steps: @Sendable (any ProxyWorld, Check) async throws -> Void

    init(
        _ id: String, _ promise: String, needs: WorldCapabilities = [], tags: ScenarioTags = [],
        settings: [String: String] = [:], file: String = #fileID, line: Int = #line,
        steps: @escaping @Sendable (any ProxyWorld, Check) async throws -> Void
    ) {
        self.id = id
        self.promise = promise
        self.needs = needs
        self.tags = tags
        self.settings = settings
        self.place = Check.Line(file: file, line: line)
        self.steps = steps
    }

    /// Runs the steps in a fresh world of `backend`.
    public func run(on backend: any ProxyBackend) async -> Verdict {
        let missing = needs.subtracting(backend.capabilities)
        guard missing.isEmpty else { return .notApplicable(missing: missing.description) }
        let check = Check()
        do {
            try await backend.withWorld(settings: settings) { world in try await steps(world, check) }
        } catch {
            return check.verdict(stoppedBy: error, at: place)
        }
        return check.verdict(stoppedBy: nil, at: place)
    }
}

extension HTTPScenario: CustomStringConvertible {
    public var description: String { id }
}

extension HTTPScenario {
    /// Every HTTP scenario, by area.
    public static let all: [HTTPScenario] = [
        access, limits, usageLimits, streamUsage, clientLeaves, upstreamFailures, forwarding, requestBodies, answers,
        streams, connections,
        endings, timeouts,
        smuggling, hostileUpstreams, projectManagement, tokenManagement, managementInput, effects, accounting,
        operation, openAI, upstreamTLS,
    ].flatMap { $0 }
}
