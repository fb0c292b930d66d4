import ProxyConformance
import Testing

/// What must be true of the catalogues themselves.
@Suite("The catalogues", .timeLimit(.minutes(2)))
struct CatalogueTests {
    /// A promise that does not apply to a backend is written down here: a new gap is a decision, not an accident.
    @Test func knowsEveryGap() {
        let storage = Engine.allCases.flatMap { engine in
            StorageScenario.all.filter { !$0.needs.isSubset(of: engine.capabilities) }.map {
                "\(engine.rawValue): \($0)"
            }
        }
        let http = Engine.allCases.map(InProcessProxy.init(engine:)).flatMap { backend in
            HTTPScenario.all.filter { !$0.needs.isSubset(of: backend.capabilities) }.map { "\(backend.name): \($0)" }
        }
        #expect(
            storage == [
                "sqlite-memory: ledger.retry.survives-reopening",
                "sqlite-memory: verify.drift.finds-a-wrong-count",
                "sqlite-memory: verify.repair.makes-counters-say-what-rows-do",
                "sqlite-memory: verify.drift.finds-a-lost-row",
                "sqlite-memory: verify.drift.finds-wrong-usage",
                "sqlite-memory: retention.prune.by-two-at-once",
                "sqlite-memory: durable.reopen.keeps-everything",
                "sqlite-memory: durable.reopen.counts-on",
                "sqlite-memory: durable.reopen.many-times",
                "sqlite-memory: schema.newer.is-refused",
                "sqlite-memory: schema.rewritten.is-refused",
                "sqlite-memory: instances.two.see-each-other",
                "sqlite-memory: instances.two.share-a-cap",
                "sqlite-memory: abandoned.settle.after-reopening",
                "sqlite-memory: instances.sweep.outlives-the-sweeper",
                "sqlite-memory: instances.mixed.never-deadlock",
                "sqlite-memory: schema.further.is-lived-with",
                "sqlite-memory: fault.wire.cut-at-each-byte-of-an-answer",
                "sqlite-memory: fault.wire.cut-at-bytes-of-a-question",
                "sqlite-memory: limits.requests.are-shared",
                "sqlite-memory: budgets.servers.keep-them-together",
                "sqlite-file: retention.prune.by-two-at-once",
                "sqlite-file: instances.two.see-each-other",
                "sqlite-file: instances.two.share-a-cap",
                "sqlite-file: instances.mixed.never-deadlock",
                "sqlite-file: fault.wire.cut-at-each-byte-of-an-answer",
                "sqlite-file: fault.wire.cut-at-bytes-of-a-question",
                "sqlite-file: limits.requests.are-shared",
                "sqlite-file: budgets.servers.keep-them-together",
            ])
        #expect(
            http == [
                "sqlite-memory: account.restart.keeps-counts",
                "sqlite-memory: account.stop.finishes-what-is-open",
            ])
    }

    /// The counts, so that no scenario is lost unseen.
    @Test func namesEachScenarioOnce() {
        let ids = StorageScenario.all.map(\.id) + HTTPScenario.all.map(\.id) + CommandScenario.all.map(\.id)
        #expect(Set(ids).count == ids.count, "an identifier is used twice")
        #expect(StorageScenario.all.count == 167)
        #expect(HTTPScenario.all.count == 238)
        #expect(CommandScenario.all.count == 74)
    }

    @Test("is named area.act.promise", arguments: Catalogue.allIDs)
    func isWellNamed(_ id: String) {
        let parts = id.split(separator: ".", omittingEmptySubsequences: false)
        #expect(parts.count == 3)
        #expect(parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" } })
    }

    /// A scenario that can't fail protects nothing: each must catch a storage that forgets what it is told.
    @Test("notices a storage that forgets", arguments: StorageScenario.all)
    func canFail(_ scenario: StorageScenario) async {
        let verdict = await scenario.run(on: ForgetfulBackend())
        guard case .broken = verdict else {
            Issue.record("\(scenario.id) did not notice a forgetful storage: \(verdict)")
            return
        }
    }
}

extension Catalogue {
    static let allIDs = [storage, http, command].flatMap(ids)
}
