import NIOCore
import ProxyDomain
import ProxyStorage

/// `/health`, `/live`, `/ready` and the metrics.
struct OperationRoutes: Sendable {
    private let dependencies: ManagementDependencies
    private let probe: DatabaseProbe

    init(_ dependencies: ManagementDependencies, _ probe: DatabaseProbe) {
        self.dependencies = dependencies
        self.probe = probe
    }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/health", .server, health),
            Endpoint("GET", "/live", .server, live),
            Endpoint("GET", "/ready", .server, ready),
            Endpoint("GET", dependencies.metricsPath, .server, metrics),
            Endpoint("GET", "/metrics/prometheus", .server, prometheus),
        ]
    }

    /// Whether the whole is well: looks at the database.
    private func health(_ call: Call) async throws -> Answer {
        let finding = await probe.finding()
        let database: JSONValue = .object([
            ("driver", .string(dependencies.storage.driver)),
            ("status", .string(finding.word)),
            ("latency_ms", finding.latency.map { .measured($0.milliseconds) } ?? .null),
        ])
        let document: JSONValue = .object([
            ("status", .string(finding.isWell ? "ok" : "unavailable")),
            ("version", .string(dependencies.version)),
            ("timestamp", .string(dependencies.now().text)),
            ("database", database), ("warnings", .names(dependencies.warnings())),
        ])
        return Self.answer(document, isWell: finding.isWell)
    }

    /// Whether the process answers: looks at nothing else.
    private func live(_ call: Call) async throws -> Answer { .json(.object([("status", .string("ok"))])) }

    /// Whether traffic should come here.
    private func ready(_ call: Call) async throws -> Answer {
        let readiness = dependencies.readiness()
        let finding = await probe.finding()
        var reasons: [JSONValue] = []
        if readiness.isDraining { reasons.append(.string("draining")) }
        if !readiness.hasMigrated { reasons.append(.string("migrations not done")) }
        if !finding.isWell, !readiness.servesWithoutDatabase { reasons.append(.string("database \(finding.word)")) }
        let document: JSONValue = .object([
            ("status", .string(reasons.isEmpty ? "ok" : "unavailable")), ("reasons", .array(reasons)),
        ])
        return Self.answer(document, isWell: reasons.isEmpty)
    }

    private static func answer(_ document: JSONValue, isWell: Bool) -> Answer {
        .json(document, status: isWell ? 200 : 503, fields: isWell ? [] : [("Retry-After", "1")])
    }

    /// Text, or JSON where that is asked for.
    private func metrics(_ call: Call) async throws -> Answer {
        guard dependencies.metricsEnabled else { throw ManagementFailure.route(.metricsOff) }
        guard Self.asksForJSON(call.request) else { return try await prometheus(call) }
        return .json(MetricFamily.document(of: await families()), fields: [("Vary", "Accept")])
    }

    /// The Prometheus text format, version 0.0.4.
    private func prometheus(_ call: Call) async throws -> Answer {
        guard dependencies.metricsEnabled else { throw ManagementFailure.route(.metricsOff) }
        let fields = [
            (name: "Content-Type", value: "text/plain; version=0.0.4; charset=utf-8"), Answer.noStore,
            (name: "Vary", value: "Accept"),
        ]
        return Answer(
            status: 200, fields: fields, body: ByteBuffer(string: MetricFamily.exposition(of: await families())))
    }

    private func families() async -> [MetricFamily] {
        let build = MetricFamily(
            name: "llm_proxy_build_info", help: "Always 1; the label says which version runs.", kind: .gauge,
            samples: [MetricFamily.Sample(labels: ["version": dependencies.version], value: .number(1))])
        let figures = MetricFamily.families(of: await dependencies.storage.figures())
        let warnings = MetricFamily(
            name: "llm_proxy_configuration_warnings", help: "What the operator should change: /health says what.",
            kind: .gauge,
            samples: [MetricFamily.Sample(labels: [:], value: .number(Double(dependencies.warnings().count)))])
        return MetricFamily.merged([build, warnings] + figures + (await dependencies.metrics()))
    }

    /// Whether `Accept` names JSON; a weight of 0 means "not this" (RFC 9110 section 12.5.1).
    private static func asksForJSON(_ request: ManagementRequest) -> Bool {
        request.values(of: "accept").flatMap { $0.split(separator: ",") }.contains { range in
            let parts = range.lowercased().filter { $0 != " " && $0 != "\t" }.split(separator: ";")
            return parts.first == "application/json"
                && !parts.dropFirst().contains { ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0) }
        }
    }
}

extension Duration {
    /// The duration in milliseconds, for show.
    fileprivate var milliseconds: Double {
        let (seconds, attoseconds) = components
        let microseconds = Double(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
        return microseconds / 1000
    }
}
