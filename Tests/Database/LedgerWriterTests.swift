import ProxyDomain
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import Testing

@Suite("The ledger's writer")
struct LedgerWriterTests {
    private let batches = Batches()

    @Test("grants exactly what a cap still holds, first come first, and tells each what is left")
    func cap() async throws {
        let world = try await World.memory()
        let token = try await world.token(max: 5)
        let asked = (0..<8).map { _ in world.admission(token) }
        let verdicts = try await world.storage.commit(batches.next(asked))
        #expect(
            verdicts == [4, 3, 2, 1, 0].map { .admitted(remaining: $0) }
                + Array(repeating: .refused(.capUsedUp), count: 3))
        let stored = try await world.storage.token(token.id)
        #expect((stored.requestCount, stored.lastUsedAt) == (5, noon))
        let rows = try await world.storage.requests(of: token.id, after: nil, limit: 100)
        #expect(Set(rows.map(\.admission.requestID)) == Set(asked.prefix(5).map(\.requestID)))
        #expect(try await world.storage.commit(batches.next([world.admission(token)])) == [.refused(.capUsedUp)])
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("decides on each token of a mixed batch by itself, in the batch's order")
    func mixed() async throws {
        let world = try await World.memory()
        let free = try await world.token()
        let capped = try await world.token(max: 1)
        let expired = try await world.token(expiresAt: noon)
        let living = try await world.token(expiresAt: noon + .milliseconds(1))
        let revoked = try await world.token()
        _ = try await world.storage.revoke(revoked.id, at: noon)
        let stranger = Token(id: .fresh(), projectID: world.project.id, hint: "", createdAt: noon)
        let order = [free, capped, expired, living, revoked, stranger, capped, free]
        let verdicts = try await world.storage.commit(batches.next(order.map { world.admission($0) }))
        #expect(
            verdicts == [
                .admitted(remaining: nil), .admitted(remaining: 0), .refused(.tokenExpired), .admitted(remaining: nil),
                .refused(.tokenRevoked), .refused(.unknownToken), .refused(.capUsedUp), .admitted(remaining: nil),
            ])
        #expect(try await world.storage.token(free.id).requestCount == 2)
        #expect(try await world.storage.token(revoked.id).requestCount == 0)
        _ = try await world.storage.update(world.project.id, ProjectChange(isActive: false), at: noon)
        #expect(try await world.storage.commit(batches.next([world.admission(free)])) == [.refused(.projectInactive)])
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("hurries its thread while requests come alone, and lets others have the core while they come together")
    func haste() async throws {
        let world = try await World.memory()
        let token = try await world.token()
        let canBePatient = try await isHeeded(.patient)
        for (count, isPatient) in [(1, false), (4, true), (2, true), (0, true), (1, false), (2, false), (40, true)] {
            _ = try await world.storage.commit(batches.next((0..<count).map { _ in world.admission(token) }))
            let found = await withCheckedContinuation { told in
                world.pool.enqueueTurn(after: .zero) { _ in told.resume(returning: ThreadSchedule.patient.holds) }
            }
            #expect(found == (isPatient && canBePatient), "after a batch of \(count)")
        }
        await world.storage.close()
    }

    @Test("writes a request that ended before its admission as one row, and adds up its usage")
    func combined() async throws {
        let world = try await World.memory()
        let token = try await world.token()
        let admission = world.admission(token, settled: .sample(prompt: 7, completion: 3, cost: 11))
        _ = try await world.storage.commit(batches.next([admission, world.admission(token)]))
        #expect(try await world.storage.request(admission.requestID).admission == admission)
        let stored = try await world.storage.token(token.id)
        #expect(
            (stored.requestCount, stored.promptTokens, stored.completionTokens, stored.cost.amount) == (2, 7, 3, 11))
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("settles once, whatever comes twice, late or for nothing")
    func settlements() async throws {
        let world = try await World.memory()
        let token = try await world.token()
        var admission = world.admission(token)
        let end = RequestSettlement(of: admission, .sample())
        // Before its admission: nothing to settle, nothing counted.
        #expect(try await world.storage.commit(batches.next(ends: [end])) == [])
        _ = try await world.storage.commit(batches.next([admission]))
        _ = try await world.storage.commit(batches.next(ends: [end, end]))
        let other = RequestSettlement(of: admission, .sample(.clientLeft, prompt: 99))
        let unknown = RequestSettlement(
            requestID: .fresh(), tokenID: token.id, projectID: token.projectID, admittedAt: token.createdAt,
            settlement: .sample(prompt: 50))
        _ = try await world.storage.commit(batches.next(ends: [other, unknown]))
        admission.settlement = .sample()
        #expect(try await world.storage.request(admission.requestID).admission == admission)
        #expect(try await world.storage.token(token.id).promptTokens == 10)
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("keeps odd settlements as they are, and bounds what no provider can mean")
    func odd() async throws {
        let world = try await World.memory()
        let token = try await world.token()
        let bare = Settlement(
            outcome: .upstreamUnreachable, status: 0, settledAt: noon, durationMicroseconds: 0,
            firstByteMicroseconds: nil, usage: nil, cost: .zero, model: nil)
        let absurd = Settlement.sample(prompt: .max, completion: -1, cost: .max)
        let admissions =
            [world.admission(token, settled: bare)] + (0..<3).map { _ in world.admission(token, settled: absurd) }
        _ = try await world.storage.commit(batches.next(admissions))
        #expect(try await world.storage.request(admissions[0].requestID).admission == admissions[0])
        let stored = try await world.storage.token(token.id)
        #expect((stored.promptTokens, stored.completionTokens) == (3 << 40, 0))
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("a batch handed in again is looked up, not written again", arguments: [false, true])
    func retry(isMarked: Bool) async throws {
        let world = try await World.memory()
        let token = try await world.token(max: 3)
        let settled = world.admission(token, settled: .sample())
        var batch = batches.next([settled] + (0..<4).map { _ in world.admission(token) })
        let first = try await world.storage.commit(batch)
        batch.isRetry = isMarked
        let second = try await world.storage.commit(batch)
        #expect(first.map(isAdmitted) == [true, true, true, false, false])
        #expect(second.map(isAdmitted) == first.map(isAdmitted))
        #expect(second.last == .refused(.capUsedUp))
        #expect(try await world.storage.token(token.id).requestCount == 3)
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    private func isAdmitted(_ verdict: AdmissionVerdict) -> Bool {
        if case .admitted = verdict { true } else { false }
    }

    @Test("a request that is there already is not counted twice under another number")
    func sameRequest() async throws {
        let world = try await World.memory()
        let token = try await world.token()
        let admission = world.admission(token)
        _ = try await world.storage.commit(batches.next([admission]))
        #expect(try await world.storage.commit(batches.next([admission])) == [.admitted(remaining: nil)])
        #expect(try await world.storage.token(token.id).requestCount == 1)
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("after a commit whose answer was lost, the same batch tells what was written")
    func lostCommit() async throws {
        let inner = try await SQLiteDatabase.open(.memory)
        let faults = Faults()
        let pool = try ConnectionPool(FaultyConnector(inner.connector, faults), limits: .init(readers: 0))
        let world = try await World.on(pool)
        let token = try await world.token(max: 2)
        var batch = batches.next((0..<3).map { _ in world.admission(token) })
        for fault in [Faults.Kind.commitRefused, .commitLost] {
            faults.next = fault
            let error = await #expect(throws: StorageError.self) { try await world.storage.commit(batch) }
            #expect(error?.kind == .unavailable)
            batch.isRetry = true
        }
        let verdicts = try await world.storage.commit(batch)
        #expect(verdicts == [.admitted(remaining: 0), .admitted(remaining: 0), .refused(.capUsedUp)])
        #expect(try await world.storage.token(token.id).requestCount == 2)
        #expect(try await world.broken() == [])
        await world.storage.close()
        await inner.close()
    }

    @Test("a full disk leaves nothing of the batch, and the same batch goes in when there is room")
    func full() async throws {
        let world = try await World.file()
        let token = try await world.token()
        try await world.sql("PRAGMA max_page_count = 1")
        let batch = batches.next((0..<2000).map { _ in world.admission(token) })
        let error = await #expect(throws: StorageError.self) { try await world.storage.commit(batch) }
        #expect(error?.kind == .full)
        #expect(error?.isTransient == true)
        #expect(try await world.storage.token(token.id).requestCount == 0)
        try await world.sql("PRAGMA max_page_count = 100000")
        #expect(try await world.storage.commit(batch).count == 2000)
        #expect(try await world.storage.token(token.id).requestCount == 2000)
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("a file held by another process is unavailable, and nothing is written")
    func busy() async throws {
        let world = try await World.file()
        let token = try await world.token()
        let other = try await SQLiteDatabase.open(.file(try #require(world.folder).database))
        let gate = Gate()
        let log = Log()
        async let held: Void = other.write { connection in
            try connection.begin(.write)
            log.add("begun")
            gate.pass()
            try connection.rollback()
        }
        try await eventually { log.all == ["begun"] }
        let batch = batches.next([world.admission(token)])
        let error = await #expect(throws: StorageError.self) { try await world.storage.commit(batch) }
        #expect(error?.kind == .unavailable)
        gate.open()
        try await held
        #expect(try await world.storage.commit(batch) == [.admitted(remaining: nil)])
        await other.close()
        await world.storage.close()
    }

    @Test("what is open is found again after a crash, whatever was settled since, retried or refused")
    func openAfterCrash() async throws {
        let folder = TemporaryFolder()
        let world = try await World.file(folder)
        let token = try await world.token(max: 2000)
        var random = SystemRandomNumberGenerator()
        var open: Set<RequestID> = []
        for round in 0..<60 {
            let admissions = (0..<25).map { _ in world.admission(token, settled: Bool.random() ? .sample() : nil) }
            let ends = open.filter { _ in random.next() % 10 < 9 }
            let batch = batches.next(
                admissions,
                ends: ends.map {
                    RequestSettlement(
                        requestID: $0, tokenID: token.id, projectID: token.projectID, admittedAt: token.createdAt,
                        settlement: .sample())
                })
            if round % 7 == 3 {
                // Nothing of it goes in at first.
                try await world.sql("ALTER TABLE requests RENAME TO gone")
                await #expect(throws: StorageError.self) { try await world.storage.commit(batch) }
                try await world.sql("ALTER TABLE gone RENAME TO requests")
            }
            _ = try await world.storage.commit(batch)
            open.subtract(ends)
            open.formUnion(admissions.filter { $0.settlement == nil }.map(\.requestID))
            if round % 10 == 0 { #expect(try await world.broken() == []) }
        }
        // Another writer of the same instance goes on; then all are gone.
        await world.storage.close()
        let second = try await SQLStorage.open(try await SQLiteDatabase.open(.file(folder.database)), now: noon)
        let late = world.admission(token, at: noon + .seconds(60))
        _ = try await second.commit(batches.next([late]))
        #expect(try await second.verify().allSatisfy(\.holds))
        await second.close()
        let third = try await SQLStorage.open(try await SQLiteDatabase.open(.file(folder.database)), now: noon)
        #expect(try await third.settleAbandoned(at: noon) == open.count + 1)
        #expect(try await third.settleAbandoned(at: noon) == 0)
        #expect(try await third.verify().allSatisfy(\.holds))
        await third.close()
    }

    @Test("after closing, a turn runs and its commit is unavailable")
    func closed() async throws {
        let world = try await World.file()
        let token = try await world.token()
        await world.storage.close()
        let error = await #expect(throws: StorageError.self) {
            try await world.storage.commit(batches.next([world.admission(token)]))
        }
        #expect(error?.kind == .unavailable)
    }

    @Test("many instances' batches between management writes lose nothing")
    func crowd() async throws {
        let world = try await World.file()
        let tokens = try await (0..<5).asyncMap { _ in try await world.token(max: 150) }
        let granted = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let batches = Batches()
                    var granted = 0
                    for round in 0..<20 {
                        let admissions = (0..<10).map { world.admission(tokens[($0 + round) % 5]) }
                        let verdicts = try await world.storage.commit(batches.next(admissions))
                        granted += verdicts.count { if case .admitted = $0 { true } else { false } }
                        _ = try await world.storage.update(tokens[round % 5].id, TokenChange(name: "x"), at: noon)
                    }
                    return granted
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(granted == 5 * 150)
        #expect(try await world.broken() == [])
        await world.storage.close()
    }
}

extension Sequence {
    func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
