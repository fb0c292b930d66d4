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
    /// address (`http://host:port`, or `https://` where HTTP/2 is put before it), `{simulator}` for the simulator's, `{tls-by-name}` and `{tls-by-address}` for
    /// addresses of an upstream behind TLS whose certificate is for its name, `{tls-http2}` for the address by name of one
    /// that agrees on HTTP/2 alone and is spoken for, frame by frame, by the double's scripts, `{connect-proxy}` for an HTTP
    /// proxy, with its credential, that leads every tunnel to the first of them, `{connect-place}` for its host and port,
    /// `{connect-http2}` for one that leads to the upstream of `{tls-http2}`,
    /// `{authority}` for the PEM file of the authority that issued their certificate, and `{certificate}` and
    /// `{certificate-key}` for PEM files of such a certificate. A value that begins with `{file}` stands for the path of a
    /// file with the rest as its text.
    public let settings: [String: String]
    /// Where in the catalogue it is written.
    public let place: Check.Line
    private let steps: Steps

    /// What the steps have to see.
    private enum Steps: Sendable {
        /// What any client and any upstream sees.
        case outside(@Sendable (any ProxyAccess, Check) async throws -> Void)
        /// Also what the proxy keeps and logs.
        case inside(@Sendable (any ProxyWorld, Check) async throws -> Void)
    }

    /// A promise that can be looked at from outside, also of a proxy that somebody else runs.
    init(
        _ id: String, _ promise: String, needs: WorldCapabilities = [], tags: ScenarioTags = [],
        settings: [String: String] = [:], file: String = #fileID, line: Int = #line,
        steps: @escaping @Sendable (any ProxyAccess, Check) async throws -> Void
    ) {
        self.init(id, promise, needs, tags, settings, Check.Line(file: file, line: line), .outside(steps))
    }

    /// A promise for which one must look into what the proxy keeps or logs.
    init(
        inside id: String, _ promise: String, needs: WorldCapabilities = [], tags: ScenarioTags = [],
        settings: [String: String] = [:], file: String = #fileID, line: Int = #line,
        steps: @escaping @Sendable (any ProxyWorld, Check) async throws -> Void
    ) {
        self.init(id, promise, needs, tags, settings, Check.Line(file: file, line: line), .inside(steps))
    }

    private init(
        _ id: String, _ promise: String, _ needs: WorldCapabilities, _ tags: ScenarioTags, _ settings: [String: String],
        _ place: Check.Line, _ steps: Steps
    ) {
        self.id = id
        self.promise = promise
        self.needs = needs
        self.tags = tags
        self.settings = settings
        self.place = place
        self.steps = steps
    }

    /// Runs the steps in a fresh world of `backend`.
    public func run(on backend: any ProxyBackend) async -> Verdict {
        let missing = needs.subtracting(backend.capabilities)
        guard missing.isEmpty else { return .notApplicable(missing: missing.description) }
        let check = Check()
        do {
            try await backend.withWorld(settings: settings) { world in
                switch steps {
                case .outside(let steps): try await steps(world, check)
                case .inside(let steps): try await steps(world, check)
                }
            }
        } catch {
            return check.verdict(stoppedBy: error, at: place)
        }
        return check.verdict(stoppedBy: nil, at: place)
    }

    /// Runs the steps against a proxy that is there, and that only its clients and its upstream see.
    /// - Parameter wantsOurCodes: whether errors must have our codes, or any that OpenAI's clients understand.
    public func run(against proxy: any ProxyAccess, wantsOurCodes: Bool = true) async -> Verdict {
        guard case .outside(let steps) = steps else { return .notApplicable(missing: "a look inside") }
        let missing = needs.subtracting([.rawBytes, .rawUpstream])
        guard missing.isEmpty else { return .notApplicable(missing: missing.description) }
        guard settings.isEmpty else { return .notApplicable(missing: "settings of its own") }
        let check = Check(wantsOurCodes: wantsOurCodes)
        do {
            try await steps(proxy, check)
        } catch let error as NotOffered where check.findings.isEmpty {
            return .notApplicable(missing: error.what)
        } catch is NotOffered {
            // What was wrong before that is wrong all the same.
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
        access, limits, usageLimits, consumption, streamUsage, clientLeaves, upstreamFailures, forwarding,
        requestBodies, answers, streams, connections,
        endings, timeouts,
        smuggling, hostileUpstreams, projectManagement, tokenManagement, managementInput, effects, accounting,
        operation, http2, http2Frames, upstreamHTTP2, upstreamHTTP2Frames, upstreamHTTP2Bounds,
        upstreamHTTP2Ways, tunnels, openAI,
        upstreamTLS, listenerTLS, providers, origins, parameters,
        scopes, attempts, attemptRules,
        upstreamManagement, cache, cacheRules, cacheStore, cacheChanges, cacheOperation, audit, managementVersions,
        roles, usageAPI,
        pages,
    ].flatMap { $0 }
}
