import ProxyDomain
import ProxyStorage
import Synchronization

extension StorageScenario {
    /// What storages promise when many callers come at once.
    static let concurrency: [StorageScenario] = [
        StorageScenario("parallel.admit.never-exceeds-a-cap", "Many writers together admit exactly what a cap holds.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 61)
            check.equal(try await race(8, on: [tenancy.storage], token: token, each: 25), 61, "admitted of 200")
            check.equal(try await tenancy.tally(token), Tally(61), "tally")
        },
        StorageScenario(
            "parallel.admit.loses-nothing", "Many writers without a cap: every request has its row and is counted."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            check.equal(try await race(8, on: [tenancy.storage], token: token, each: 50), 400, "admitted")
            check.equal(try await tenancy.tally(token), Tally(400), "tally")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario("parallel.create.has-one-winner", "Of many that take one name at once, one gets it.") {
            site, check in
            let storage = try await site.open()
            let won = await withTaskGroup(of: Bool.self) { group in
                for number in 1...12 {
                    group.addTask { (try? await storage.create(.sample(number, name: "same"))) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            check.equal(won, 1, "winners")
            check.equal(try await storage.projects(after: nil, limit: 20).count, 1, "projects")
        },
        StorageScenario(
            "parallel.revoke.has-one-first", "Of many that revoke one token at once, one is told that it did."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let storage = tenancy.storage
            let firsts = await withTaskGroup(of: Bool.self) { group in
                for second in 1...12 {
                    group.addTask { (try? await storage.revoke(token.id, at: .noon(plus: Int64(second)))) == true }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            check.equal(firsts, 1, "firsts")
            check.that(try await storage.token(token.id).revokedAt != nil, "not revoked")
        },
        StorageScenario("parallel.read.sees-whole-steps", "A reader sees all of a step or nothing of it.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let storage = tenancy.storage
            let tokens = [try await tenancy.issue(1), try await tenancy.issue(2)]
            let clerk = tenancy.clerk
            async let written: Void = {
                for number in 1...40 {
                    try await clerk.commit([.sample(number * 2, of: tokens[0]), .sample(number * 2 + 1, of: tokens[1])])
                }
            }()
            for _ in 1...40 {
                let pair = try await storage.tokens(TokenFilter(now: .noon), after: nil, limit: 2)
                check.equal(pair.first?.requestCount, pair.last?.requestCount, "counts written together")
            }
            try await written
            check.equal(try await storage.token(tokens[0].id).requestCount, 40, "in the end")
        },
        StorageScenario("parallel.calls.all-return", "Reads, changes and batches at once all come back.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let storage = tenancy.storage
            let returned = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...60 {
                    group.addTask {
                        switch number % 4 {
                        case 0: _ = try await storage.update(token.id, TokenChange(name: "\(number)"), at: .noon)
                        case 1: _ = try await Clerk(storage, instance: number).commit([.sample(number, of: token)])
                        case 2: _ = try await storage.grant(for: .sample(1))
                        default: _ = try await storage.verify()
                        }
                        return 1
                    }
                }
                return try await group.reduce(0, +)
            }
            check.equal(returned, 60, "calls returned")
            check.equal(try await tenancy.tally(token), Tally(15), "tally")
        },
        StorageScenario(
            "ledger.turn.keeps-its-place",
            "Turns run one at a time, in the order they were given, after the writes before them."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let order = Mutex<[Int]>([])
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                for number in 1...20 {
                    tenancy.storage.enqueueTurn(after: .zero) { _ in
                        order.withLock { $0.append(number) }
                        if number == 20 { done.resume() }
                    }
                }
            }
            check.equal(order.withLock { $0 }, Array(1...20), "order")
            check.equal(try await tenancy.admit(1...1, of: token), [.admitted(remaining: nil)], "a batch after them")
            check.equal(try await tenancy.tally(token), Tally(1), "tally")
        },
        StorageScenario(
            "ledger.turn.waits-its-delay", "A turn with a delay does not run before it, and holds up no other."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let clock = ContinuousClock()
            let delay = Duration.seconds(3)
            let given = clock.now
            async let late = withCheckedContinuation { (done: CheckedContinuation<Duration, Never>) in
                tenancy.storage.enqueueTurn(after: delay) { _ in
                    done.resume(returning: given.duration(to: clock.now))
                }
            }
            try await tenancy.admit(1...1, of: token)
            let early = given.duration(to: clock.now)
            let waited = await late
            check.that(waited >= delay, "the late turn came after \(waited)")
            check.that(waited > early, "the batch after \(early) waited for the late turn")
            check.equal(try await tenancy.tally(token), Tally(1), "tally")
        },
    ]

    /// `writers` clerks on `handles` each ask for `each` requests of `token`, in batches of up to five, all at once.
    /// - Returns: how many were admitted.
    static func race(
        _ writers: Int, on handles: [any Storage], token: Token, each: Int
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    let clerk = Clerk(handles[writer % handles.count], instance: writer + 1)
                    var admitted = 0
                    for start in stride(from: 0, to: each, by: 5) {
                        let numbers = start..<min(start + 5, each)
                        let batch = numbers.map { Admission.sample(writer * 1000 + $0 + 1, of: token) }
                        admitted += try await clerk.commit(batch).count { $0.isAdmitted }
                    }
                    return admitted
                }
            }
            return try await group.reduce(0, +)
        }
    }
}
