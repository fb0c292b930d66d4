import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func drift() async throws(StorageError) -> Int64 {
        var walk = DriftWalk()
        while walk.drift == nil { walk = try await advanced(walk) }
        if walk.drift == 0 { return 0 }
        // Perhaps requests that were counted late.
        return try await reading(.drift) { connection in
            var drift: Int64 = 0
            try connection.run(CounterOwner.tokens.differences) { (row) throws(SQLError) in
                drift += abs(row.integer(at: 1))
            }
            return drift
        }
    }

    private func advanced(_ walk: DriftWalk) async throws(StorageError) -> DriftWalk {
        try await reading(.drift) { connection in
            var walk = walk
            try connection.transaction(.read) { () throws(SQLError) in try walk.advance(on: connection) }
            return walk
        }
    }

    /// Finds what differs on a reader, then looks at each of those again under its lock: what a batch has under way is no
    /// difference. What is wrong is then set right, each in a transaction of its own.
    public func repair(isDryRun: Bool) async throws(StorageError) -> [CounterRepair] {
        let unrecorded = recorded(as: nil)
        var (found, wrong): ([CounterRepair], [Suspect]) = ([], [])
        for suspect in try await unrecorded.suspects() {
            let repairs = try await unrecorded.writing(.repair) { connection in
                try suspect.owner.repair(suspect.id, on: connection, isDryRun: true)
            }
            if !repairs.isEmpty { wrong.append(suspect) }
            found += repairs
        }
        let sums = try await unrecorded.usageDifferences()
        found += sums
        guard !isDryRun, !found.isEmpty else { return found }
        return try await unrecorded.setRight(wrong, sums: sums, recording: event?.telling(of: found))
    }

    /// A row whose counters may be wrong.
    private struct Suspect: Sendable {
        let owner: CounterOwner
        let id: String
    }

    private func suspects() async throws(StorageError) -> [Suspect] {
        var suspects: [Suspect] = []
        for owner in [CounterOwner.tokens, .projects] {
            let ids = try await reading(.repair) { connection in
                try connection.all(owner.differences) { (row) throws(SQLError) in row.text(at: 0) }
            }
            suspects += ids.map { Suspect(owner: owner, id: $0) }
        }
        return suspects
    }

    private func usageDifferences() async throws(StorageError) -> [CounterRepair] {
        try await reading(.repair) { connection in
            try connection.transaction(.read) { () throws(SQLError) in try Invariants.usageDifferences(on: connection) }
        }
    }

    /// Sets counters right, and has usage summed up anew when what is told of it differs from the rows.
    /// - Parameter event: recorded with the first of these changes, so that none is made without it.
    private func setRight(
        _ suspects: [Suspect], sums: [CounterRepair], recording event: AuditEvent?
    ) async throws(StorageError) -> [CounterRepair] {
        var repairs: [CounterRepair] = []
        for suspect in suspects {
            let first = repairs.isEmpty ? event : nil
            let made: [CounterRepair] = try await writing(.repair) { connection in
                let done = try suspect.owner.repair(suspect.id, on: connection, isDryRun: false)
                if let first, !done.isEmpty { try AuditChain.append(first, on: connection) }
                return done
            }
            repairs += made
        }
        guard !sums.isEmpty else { return repairs }
        let first = repairs.isEmpty ? event : nil
        _ = try await writing(.repair) { connection in
            try StaleSpan.forgetSums(on: connection)
            if let first { try AuditChain.append(first, on: connection) }
        }
        return repairs + sums
    }
}

extension AuditEvent {
    /// The same with how much was found wrong, and whose it was.
    fileprivate func telling(of repairs: [CounterRepair]) -> AuditEvent {
        let owners = ["token", "project"].map { name in Set(repairs.filter { $0.owner == name }.map(\.id)).count }
        return adding(["counters": "\(repairs.count)", "tokens": "\(owners[0])", "projects": "\(owners[1])"])
    }
}
