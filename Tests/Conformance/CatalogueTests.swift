import ProxyConformance
import Testing

/// What must be true of the catalogues themselves.
@Suite("The catalogues", .timeLimit(.minutes(2)))
struct CatalogueTests {
    private static let storageGaps = [
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
        "sqlite-memory: audit.chain.finds-changes",
        "sqlite-memory: audit.repair.has-its-event",
        "sqlite-file: retention.prune.by-two-at-once",
        "sqlite-file: instances.two.see-each-other",
        "sqlite-file: instances.two.share-a-cap",
        "sqlite-file: instances.mixed.never-deadlock",
        "sqlite-file: fault.wire.cut-at-each-byte-of-an-answer",
        "sqlite-file: fault.wire.cut-at-bytes-of-a-question",
        "sqlite-file: limits.requests.are-shared",
        "sqlite-file: budgets.servers.keep-them-together",
    ]

    private static let httpGaps = [
        "sqlite-memory: account.restart.keeps-counts",
        "sqlite-memory: account.stop.finishes-what-is-open",
        "sqlite-memory: http2.stop.says-goodbye",
        "sqlite-memory: http2.upstream.stop-finishes-what-is-open",
        "sqlite-memory: cache.database.change-invalidates",
        "sqlite-memory: cache.database.outlives-the-server",
        "http2: access.malformed.is-refused",
        "http2: limit.method.is-refused",
        "http2: limit.head.is-bounded",
        "http2: upstream.error.passes-untouched",
        "http2: forward.hop-by-hop.is-removed",
        "http2: forward.fields.as-they-came",
        "http2: body.trailers.pass", "http2: body.early-answer.keeps-the-connection",
        "http2: answer.chunked.keeps-its-chunks",
        "http2: answer.trailers.pass",
        "http2: answer.until-close.ends-with-the-connection",
        "http2: stream.events.byte-for-byte",
        "http2: stream.slow-reader.gets-everything",
        "http2: connection.balancer.tells-the-client",
        "http2: connection.close.is-honoured",
        "http2: connection.half-closed.gets-its-answer",
        "http2: connection.old-client.is-served",
        "http2: timeout.client-reads-nothing.is-bounded",
        "http2: timeout.client-takes-nothing.while-it-sends",
        "http2: timeout.client-head.is-bounded",
        "http2: timeout.client-body.is-bounded",
        "http2: smuggling.lengths.are-refused",
        "http2: smuggling.codings.are-refused",
        "http2: smuggling.lines.are-refused",
        "http2: smuggling.hosts.are-refused",
        "http2: smuggling.request-lines.are-refused",
        "http2: smuggling.versions.are-refused",
        "http2: smuggling.chunks.are-refused",
        "http2: smuggling.second-request.is-not-served",
        "http2: smuggling.absolute-form.is-understood",
        "http2: account.restart.keeps-counts",
        "http2: account.stop.finishes-what-is-open",
        "http2: operate.metrics.count-every-answer",
        "http2: operate.log.names-what-was-no-request",
        "http2: operate.http2.tells-of-broken-connections",
        "http2: operate.log.holds-no-secret",
        "http2: operate.answers.name-no-server-inside",
        "http2: http2.cleartext.by-prior-knowledge",
        "http2: http2.streams.side-by-side",
        "http2: http2.requests.malformed-are-refused",
        "http2: http2.requests.a-bad-one-ends-alone",
        "http2: http2.connection.broken-at-once-leaves-nothing",
        "http2: http2.cookies.are-joined",
        "http2: http2.flood.of-resets",
        "http2: http2.flood.of-continuations",
        "http2: http2.flood.of-fields",
        "http2: http2.flood.of-pings",
        "http2: http2.flood.of-provoked-resets",
        "http2: http2.flood.of-malformed-requests",
        "http2: http2.flood.of-late-data",
        "http2: http2.flood.of-settings",
        "http2: http2.window.stall-holds-up-nobody",
        "http2: http2.stop.says-goodbye",
        "http2: http2.frames.are-answered",
        "http2: http2.frames.padding-and-priority-are-none-of-it",
        "http2: http2.frames.broken-end-the-connection",
        "http2: http2.streams.no-more-than-said",
        "http2: http2.trailers.pass",
        "http2: http2.window.upload-is-given-room",
        "http2: http2.window.padding-gives-room-back",
        "http2: http2.window.is-kept-to-the-byte",
        "http2: http2.streams.refused-ones-leave-room",
        "http2: http2.answers.as-large-a-head-as-any",
        "http2: http2.settings.of-a-table-are-heeded",
        "http2: http2.window.of-the-connection-is-shared",
        "http2: http2.upstream.is-not-over-read",
        "http2: http2.upstream.stop-finishes-what-is-open",
        "http2: tunnel.websocket.carries-both-ways",
        "http2: tunnel.client-gone.ends-the-upstream",
        "http2: tunnel.upstream-declines.is-answered",
        "http2: tunnel.unasked.is-refused",
        "http2: tunnel.idle.is-bounded",
        "http2: tunnel.tls.carries-both-ways",
        "http2: tunnel.credential.comes-first",
        "http2: tunnel.http2-upstream.falls-back",
        "http2: tls.listener.closes-cleanly",
        "http2: tls.listener.breaks-off-visibly",
        "http2: tls.listener.ends-both-ways",
        "http2: cache.chunked.to-an-old-client",
        "http2: cache.hit.slow-reader-gets-everything",
        "http2: cache.database.change-invalidates",
        "http2: cache.database.outlives-the-server",
        "http2-upstream: upstream.refused.is-502",
        "http2-upstream: upstream.error.passes-untouched",
        "http2-upstream: upstream.upload-unread.is-bounded",
        "http2-upstream: forward.host.names-the-upstream",
        "http2-upstream: forward.fields.as-they-came",
        "http2-upstream: body.trailers.pass",
        "http2-upstream: answer.chunked.keeps-its-chunks",
        "http2-upstream: answer.trailers.pass",
        "http2-upstream: answer.until-close.ends-with-the-connection",
        "http2-upstream: answer.head.has-no-body",
        "http2-upstream: stream.events.byte-for-byte",
        "http2-upstream: stream.slow-reader.gets-everything",
        "http2-upstream: connection.client.is-reused",
        "http2-upstream: connection.upstream.is-shared",
        "http2-upstream: connection.close.is-honoured",
        "http2-upstream: connection.stale.is-tried-once-more",
        "http2-upstream: connection.stale.is-not-tried-for-ever",
        "http2-upstream: hostile-upstream.framing.is-refused",
        "http2-upstream: hostile-upstream.grammar.is-refused",
        "http2-upstream: hostile-upstream.head.is-bounded",
        "http2-upstream: hostile-upstream.interim-answers.are-bounded",
        "http2-upstream: hostile-upstream.chunks.cut-the-answer",
        "http2-upstream: account.restart.keeps-counts",
        "http2-upstream: account.stop.finishes-what-is-open",
        "http2-upstream: http2.stop.says-goodbye",
        "http2-upstream: http2.upstream.stop-finishes-what-is-open",
        "http2-upstream: attempt.connections.are-bounded",
        "http2-upstream: attempt.connections.are-kept-as-long-as-said",
        "http2-upstream: cache.database.change-invalidates",
        "http2-upstream: cache.database.outlives-the-server",
    ]

    /// A promise that does not apply to a backend is written down here: a new gap is a decision, not an accident.
    @Test func knowsEveryGap() {
        let storage = Engine.allCases.flatMap { engine in
            StorageScenario.all.filter { !$0.needs.isSubset(of: engine.capabilities) }.map {
                "\(engine.rawValue): \($0)"
            }
        }
        let http = InProcessProxy.all.flatMap { backend in
            HTTPScenario.all.filter { !$0.needs.isSubset(of: backend.capabilities) }.map { "\(backend.name): \($0)" }
        }
        #expect(storage == Self.storageGaps)
        #expect(http == Self.httpGaps)
    }

    /// The counts, so that no scenario is lost unseen.
    @Test func namesEachScenarioOnce() {
        let ids = StorageScenario.all.map(\.id) + HTTPScenario.all.map(\.id) + CommandScenario.all.map(\.id)
        #expect(Set(ids).count == ids.count, "an identifier is used twice")
        #expect(StorageScenario.all.count == 189)
        #expect(HTTPScenario.all.count == 416)
        #expect(CommandScenario.all.count == 156)
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
