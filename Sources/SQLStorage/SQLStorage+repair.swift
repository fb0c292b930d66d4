public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func drift() async throws(StorageError) -> Int64 {
        try await reading(.drift) { connection in
            var drift: Int64 = 0
            try connection.run(CounterOwner.tokens.differences) { (row) throws(SQLError) in
                drift += abs(row.integer(at: 1))
            }
            return drift
        }
    }

    /// Finds what differs on a reader, then looks at each of those again under its lock: what a batch has under way is no
    /// difference.
    public func repair(isDryRun: Bool) async throws(StorageError) -> [CounterRepair] {
        var repairs: [CounterRepair] = []
        for owner in [CounterOwner.tokens, .projects] {
            let suspects = try await reading(.repair) { connection in
                try connection.all(owner.differences) { (row) throws(SQLError) in row.text(at: 0) }
            }
            for id in suspects {
                repairs += try await writing(.repair) { connection in
                    try owner.repair(id, on: connection, isDryRun: isDryRun)
                }
            }
        }
        return repairs + (try await repairUsage(isDryRun: isDryRun))
    }

    /// Has usage summed up anew when what is told differs from the rows.
    private func repairUsage(isDryRun: Bool) async throws(StorageError) -> [CounterRepair] {
        let differences = try await reading(.repair) { connection in
            try connection.transaction(.read) { () throws(SQLError) in try Invariants.usageDifferences(on: connection) }
        }
        guard !differences.isEmpty, !isDryRun else { return differences }
        _ = try await writing(.repair) { try StaleSpan.forgetSums(on: $0) }
        return differences
    }
}
