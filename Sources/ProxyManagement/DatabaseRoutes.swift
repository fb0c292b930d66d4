import ProxyDomain
import ProxyStorage
import Synchronization

/// `/manage/database`: what an operator wants to know of it, without its password or a shell.
struct DatabaseRoutes: Sendable {
    private let dependencies: ManagementDependencies
    private let probe: DatabaseProbe
    private let isVerifying = Turn()
    private var storage: any Storage { dependencies.storage }

    init(_ dependencies: ManagementDependencies, _ probe: DatabaseProbe) {
        self.dependencies = dependencies
        self.probe = probe
    }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/manage/database", .server, show),
            Endpoint("POST", "/manage/database/verify", .server, verify),
            Endpoint("GET", "/manage/reports", .server, reports),
        ]
    }

    private func show(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        let finding = await probe.finding()
        let history = try await storage.history()
        let instances = try await storage.instances()
        let figures = await storage.figures()
        return .json(
            .object([
                ("driver", .string(storage.driver)), ("version", .string(dependencies.version)),
                ("status", .string(finding.word)), ("is_shared", .bool(storage.isShared)),
                ("retention_days", dependencies.retentionDays > 0 ? .integer(dependencies.retentionDays) : .null),
                ("migrations", .array(history.migrations.map(\.json))), ("copies", .array(history.copies.map(\.json))),
                (
                    "instances",
                    .array(
                        instances.map {
                            .object([("id", .string($0.instance.text)), ("progress", .integer($0.progress))])
                        })
                ),
                ("sizes", .array(Self.sizes(figures))), ("pool", Self.pool(figures)),
                ("warnings", .names(dependencies.warnings())),
            ]))
    }

    /// Files or tables, as far as the engine tells.
    private static func sizes(_ figures: [DatabaseFigure]) -> [JSONValue] {
        figures.filter { $0.kind == .gauge && $0.name.hasSuffix("_bytes") }.map {
            .object([
                ("name", .string(String($0.name.dropFirst("database_".count).dropLast("_bytes".count)))),
                ("bytes", .measured($0.value)),
            ])
        }
    }

    private static func pool(_ figures: [DatabaseFigure]) -> JSONValue {
        let prefix = "database_pool_"
        return .object(
            figures.filter { $0.name.hasPrefix(prefix) }.map {
                (String($0.name.dropFirst(prefix.count)), .measured($0.value))
            })
    }

    /// Looks at every row, in one snapshot: as `llm-proxy db verify` does, beside serving.
    private func verify(_ call: Call) async throws -> Answer {
        // One at a time: it keeps a reader, which requests need too, for as long as it takes.
        guard isVerifying.take() else { throw ManagementFailure.storage(.busy) }
        defer { isVerifying.giveBack() }
        let findings = try await storage.verify()
        return .json(
            .object([
                ("holds", .bool(findings.allSatisfy(\.holds))), ("findings", .array(findings.map(\.json))),
            ]))
    }

    /// What the last runs of load and conformance found, where somebody has put it.
    private func reports(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        return .json(
            .object([
                ("claims", .text(dependencies.readReport("claims.md"))),
                ("conformance", .text(dependencies.readReport("conformance.md"))),
            ]))
    }
}

extension InvariantFinding {
    fileprivate var json: JSONValue {
        .object([
            ("invariant", .string(invariant)), ("checked", .integer(checked)), ("violations", .integer(violations)),
            ("examples", .names(examples)),
        ])
    }
}

extension DatabaseHistory.Migration {
    fileprivate var json: JSONValue {
        .object([("version", .integer(version)), ("name", .string(name)), ("applied_at", .string(appliedAt))])
    }
}

extension DatabaseHistory.Copy {
    fileprivate var json: JSONValue {
        .object([
            ("source", .string(source)), ("began_at", .string(beganAt.text)), ("ended_at", .text(endedAt?.text)),
        ])
    }
}

/// Something that only one at a time may do.
private final class Turn: Sendable {
    private let isTaken = Atomic(false)

    /// - Returns: whether it is the caller's turn now.
    func take() -> Bool { !isTaken.exchange(true, ordering: .acquiringAndReleasing) }
    func giveBack() { isTaken.store(false, ordering: .releasing) }
}
