import ProxyDomain
import ProxyStorage
import SQLDatabase
import Testing

@testable import SQLStorage

/// The walk in slices that the drift metric comes from, on both engines.
@Suite("A walk for drift", .timeLimit(.minutes(1)))
struct DriftWalkTests {
    enum Engine: CaseIterable {
        case memory
        case postgres
    }

    private static func with(
        _ engine: Engine, _ body: (World, [Token]) async throws -> Void
    ) async throws {
        let database = engine == .postgres ? try TemporaryDatabase() : nil
        let world = if let database { try await World.on(database.pool()) } else { try await World.memory() }
        var tokens: [Token] = []
        for _ in 0..<4 { tokens.append(try await world.token()) }
        // The last has no request.
        let admissions = (0..<30).map { world.admission(tokens[$0 % 3]) }
        _ = try await world.storage.commit(Batches().next(admissions))
        try await body(world, tokens)
        await world.storage.close()
    }

    private static func admission(of token: Token, in world: World, at instant: Timestamp) -> Admission {
        Admission(
            requestID: .fresh(at: instant), tokenID: token.id, projectID: world.project.id, admittedAt: instant,
            method: "POST", path: "/v1/chat/completions", settlement: nil)
    }

    /// - Parameter between: done after each step but the last.
    private func walk(
        _ world: World, slice: Int, heldBack: Int, between: () async throws -> Void = {}
    ) async throws -> (steps: Int, drift: Int64?) {
        var (walk, steps) = (DriftWalk(slice: slice, heldBack: heldBack), 0)
        while walk.drift == nil {
            if steps > 0 { try await between() }
            walk = try await world.pool.read { [walk] connection in
                var walk = walk
                try walk.advance(on: connection)
                return walk
            }
            steps += 1
        }
        return (steps, walk.drift)
    }

    @Test("takes as many steps as there are slices, and the last with what is held back", arguments: Engine.allCases)
    func steps(engine: Engine) async throws {
        try await Self.with(engine) { world, _ in
            // 30 rows: 4 a step while 5 are left behind it.
            for (slice, heldBack, steps) in [(4, 5, 7), (25, 5, 2), (25, 6, 1), (30, 1, 1), (100, 100, 1), (1, 1, 30)] {
                let found = try await walk(world, slice: slice, heldBack: heldBack)
                #expect(found == (steps, 0), "\(slice), \(heldBack)")
            }
        }
    }

    @Test("sees a counter that is wrong, and a row that is lost, wherever it was", arguments: Engine.allCases)
    func differences(engine: Engine) async throws {
        try await Self.with(engine) { world, tokens in
            try await world.sql("DELETE FROM requests WHERE id = (SELECT min(id) FROM requests)")
            try await world.sql("UPDATE tokens SET request_count = 2 WHERE id = '\(tokens[3].id)'")
            #expect(try await walk(world, slice: 4, heldBack: 5).drift == 3)
            #expect(try await world.storage.drift() == 3)
        }
    }

    @Test("counts what is added in front of it", arguments: Engine.allCases)
    func changes(engine: Engine) async throws {
        try await Self.with(engine) { world, tokens in
            let batches = Batches()
            var instant = noon
            let found = try await walk(world, slice: 4, heldBack: 5) {
                instant = instant + .seconds(60)
                let next = Self.admission(of: tokens[3], in: world, at: instant)
                _ = try await world.storage.commit(batches.next([next]))
            }
            #expect(found.drift == 0 && found.steps > 7)
        }
    }

    @Test("what comes late, behind it, looks like a difference, which the storage looks at again")
    func late() async throws {
        try await Self.with(.memory) { world, tokens in
            let batches = Batches()
            let early = Self.admission(of: tokens[0], in: world, at: noon + .seconds(-60))
            var isThere = false
            let found = try await walk(world, slice: 4, heldBack: 5) {
                if !isThere { _ = try await world.storage.commit(batches.next([early])) }
                isThere = true
            }
            #expect(found.drift == 1)
            #expect(try await world.storage.drift() == 0)
        }
    }
}
