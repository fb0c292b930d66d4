import ProxyDomain
import ProxyStorage
import Synchronization

extension StorageScenario {
    /// What servers on one storage know of each other.
    static let instances: [StorageScenario] = [
        StorageScenario(
            "instances.beat.is-progress", "An instance that beats or writes makes progress; an idle one none."
        ) {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.storage.beat(.sample(2), at: .noon)
            try await tenancy.admit(1...1, of: token)
            let before = try await tenancy.storage.instances()
            check.equal(before.map(\.instance), [.sample(1), .sample(2)], "instances")
            check.equal(try await tenancy.storage.instances(), before, "nothing happened")
            try await tenancy.storage.beat(.sample(2), at: .noon(plus: 1))
            try await tenancy.admit(2...2, of: token)
            let after = try await tenancy.storage.instances()
            check.that(zip(before, after).allSatisfy { $0.progress < $1.progress }, "\(before) then \(after)")
        },
        StorageScenario(
            "instances.forget.keeps-those-with-open-requests", "Only an instance with nothing open is forgotten."
        ) {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...1, of: token)
            try await tenancy.storage.beat(.sample(2), at: .noon)
            for number in 1...2 { try await tenancy.storage.forget(.sample(number)) }
            check.equal(try await tenancy.storage.instances().map(\.instance), [.sample(1)], "with one open")
            try await tenancy.clerk.commit(settling: [.sample(1, of: token)])
            try await tenancy.storage.forget(.sample(1))
            check.equal(try await tenancy.storage.instances(), [], "with none open")
        },
        StorageScenario(
            "instances.dead.leaves-others-alone", "Settling what a dead instance left open touches no other's requests."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let other = Clerk(tenancy.storage, instance: 2)
            try await tenancy.admit(1...2, of: token)
            try await other.commit([.sample(3, of: token)])
            try await tenancy.admit(4...4, of: token)
            try await other.commit([.sample(5, of: token)])
            check.equal(try await tenancy.sweep(.sample(1), at: .noon(plus: 9)), 3, "settled")
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 9)
            check.equal(
                rows.map { $0.admission.settlement?.outcome }, [.inDoubt, .inDoubt, nil, .inDoubt, nil], "outcomes")
            check.equal(try await tenancy.storage.instances().map(\.instance), [.sample(2)], "instances")
            check.equal(try await tenancy.sweep(.sample(1)), 0, "a second time")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "instances.returned.loses-nothing",
            "An instance that was taken for dead writes on; how its open requests ended stays in doubt."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 5)
            try await tenancy.admit(1...2, of: token)
            _ = try await tenancy.sweep(.sample(1))
            try await tenancy.clerk.commit([.sample(3, of: token)], settling: [.sample(1, of: token)])
            check.equal(try await tenancy.tally(token), Tally(3), "tally")
            check.equal(
                try await tenancy.storage.request(.sample(1)).admission.settlement?.outcome, .inDoubt, "outcome")
            check.equal(try await tenancy.storage.token(token.id).promptTokens, 0, "prompt tokens")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "instances.sweep.is-by-one-alone",
            "Of many who sweep after a dead instance at once one does, and each of its requests ends once.",
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            for first in stride(from: 1, to: 1500, by: 500) { try await tenancy.admit(first...first + 499, of: token) }
            try await tenancy.end(
                1...1, of: token, usage: TokenUsage(promptTokens: 1500, completionTokens: 3000), cost: 4500)
            for number in 2...5 { try await tenancy.storage.beat(.sample(number), at: .noon) }
            guard let dead = try await tenancy.storage.instances().first else {
                return check.that(false, "no instance")
            }
            let settled = try await withThrowingTaskGroup { group in
                for number in 2...5 {
                    group.addTask {
                        try await tenancy.storage.settleAbandoned(of: dead, by: .sample(number), at: .noon(plus: 9))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            check.equal(settled.sorted(), [0, 0, 0, 1499], "settled, by sweeper")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "instances.sweep.spares-the-living",
            "What an instance has open that made progress since it was seen stays open."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...2, of: token)
            guard let seen = try await tenancy.storage.instances().first else {
                return check.that(false, "no instance")
            }
            try await tenancy.admit(3...3, of: token)
            check.equal(
                try await tenancy.storage.settleAbandoned(of: seen, by: .sample(2), at: .noon(plus: 9)), 0, "settled")
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 9)
            check.equal(rows.map(\.admission.settlement), [nil, nil, nil], "ends")
            check.equal(try await tenancy.storage.instances().map(\.instance), [.sample(1)], "instances")
        },
        StorageScenario(
            "instances.sweep.outlives-the-sweeper",
            "While one that lives has the lease nobody else sweeps; when it is gone, another does.", needs: .tampering
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...3, of: token)
            for number in 2...3 { try await tenancy.storage.beat(.sample(number), at: .noon) }
            try await site.harm(.isSwept(.sample(1), by: .sample(2)))
            check.equal(try await tenancy.sweep(.sample(1), by: .sample(3)), 0, "settled by another")
            try await tenancy.storage.forget(.sample(2))
            check.equal(try await tenancy.sweep(.sample(1), by: .sample(3)), 3, "settled once it is gone")
            check.equal(try await tenancy.storage.instances().map(\.instance), [.sample(3)], "instances")
        },
        StorageScenario(
            "instances.changes.are-counted",
            "Each change of a project or token raises the number that batches see; requests and new tokens do not."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            var seen: [Int64] = [try await changes(seenBy: tenancy, token, 1)]
            _ = try await tenancy.issue(2)
            seen.append(try await changes(seenBy: tenancy, token, 2))
            _ = try await tenancy.storage.update(token.id, TokenChange(maxRequests: 9), at: .noon)
            seen.append(try await changes(seenBy: tenancy, token, 3))
            _ = try await tenancy.storage.update(
                tenancy.project.id, ProjectChange(key: SealedKey(ciphertext: "other", hint: "…")), at: .noon)
            seen.append(try await changes(seenBy: tenancy, token, 4))
            _ = try await tenancy.storage.revoke(token.id, at: .noon)
            _ = try await tenancy.storage.revokeTokens(of: tenancy.project.id, at: .noon)
            seen.append(try await changes(seenBy: tenancy, token, 5))
            check.equal(seen.map { $0 - (seen.first ?? 0) }, [0, 0, 1, 2, 4], "changes")
        },
        StorageScenario(
            "instances.mixed.never-deadlock",
            "Three instances that admit, settle, edit and revoke the same tokens at once all succeed, without a conflict.",
            needs: .manyInstances, tags: .slow
        ) { site, check in
            let tenancy = try await Tenancy(site)
            var tokens: [Token] = []
            for number in 1...12 { tokens.append(try await tenancy.issue(number)) }
            let handles = [tenancy.storage, try await site.open(), try await site.open()]
            let batches = try await mix(handles, tokens, rounds: 150)
            check.equal(batches, 450, "batches")
            for handle in handles {
                for figure in await handle.figures() where figure.name.contains("conflict") {
                    check.equal(figure.value, 0, figure.name)
                }
            }
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
            for handle in handles.dropFirst() { await handle.close() }
        },
        StorageScenario(
            "schema.further.is-lived-with",
            "An open storage works on when a newer program adds columns, tables and indexes under it.",
            needs: [.durable, .tampering]
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 9)
            try await tenancy.admit(1...2, of: token)
            try await site.harm(.migratesFurther)
            try await tenancy.clerk.commit([.sample(3, of: token)], settling: [.sample(1, of: token)])
            let second = try await tenancy.issue(2)
            try await tenancy.storage.create(.sample(2))
            _ = try await tenancy.storage.update(tenancy.project.id, ProjectChange(name: "renamed"), at: .noon)
            check.equal(try await tenancy.storage.grant(for: .sample(2))?.token, second, "a new token")
            check.equal(try await tenancy.storage.project(tenancy.project.id).name, "renamed", "a changed project")
            check.equal(try await tenancy.tally(token), Tally(3), "tally")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
    ]

    /// How many changes the batch that admits request `number` sees.
    private static func changes(seenBy tenancy: Tenancy, _ token: Token, _ number: Int) async throws -> Int64 {
        try await tenancy.admit(number...number, of: token)
        return await withCheckedContinuation { continuation in
            tenancy.storage.enqueueTurn(after: .zero) { continuation.resume(returning: $0.changesSeen ?? -1) }
        }
    }

    /// Lets each handle write `rounds` batches over all tokens, in an order of its own, while others edit and revoke.
    /// - Returns: how many batches were committed.
    private static func mix(_ handles: [any Storage], _ tokens: [Token], rounds: Int) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for (place, handle) in handles.enumerated() {
                group.addTask {
                    let clerk = Clerk(handle, instance: place + 1)
                    var random = SeededRandom(seed: UInt64(place))
                    var open: [RequestSettlement] = []
                    for round in 0..<rounds {
                        let first = (place * rounds + round) * tokens.count
                        let batch = tokens.shuffled(using: &random).enumerated().map {
                            Admission.sample(first + $0.offset + 1, of: $0.element)
                        }
                        let ending = open.shuffled(using: &random)
                        try await clerk.commit(batch, settling: ending)
                        open = batch.map {
                            RequestSettlement(of: $0, .sample())
                        }
                    }
                    return rounds
                }
                group.addTask {
                    for round in 0..<rounds / 5 {
                        _ = try await handle.revokeTokens(of: .sample(1), at: .noon)
                        for token in tokens.reversed() {
                            _ = try await handle.update(token.id, TokenChange(isActive: true), at: .noon)
                        }
                        _ = try await handle.update(
                            .sample(1), ProjectChange(isActive: round.isMultiple(of: 2)), at: .noon)
                    }
                    return 0
                }
            }
            return try await group.reduce(0, +)
        }
    }
}
