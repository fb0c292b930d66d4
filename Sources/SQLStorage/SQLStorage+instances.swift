public import ProxyDomain
public import ProxyStorage
import SQLDatabase
import Synchronization

extension SQLStorage {
    public func beat(_ instance: InstanceID, at now: Timestamp) async throws(StorageError) {
        _ = try await writing(.instances) { connection in
            try connection.run(InstanceStatements.beat, [.id(instance), .instant(now)])
        }
    }

    public func instances() async throws(StorageError) -> [InstanceRecord] {
        try await reading(.instances) { connection in
            try connection.all(InstanceStatements.list) { (row) throws(SQLError) in
                InstanceRecord(instance: try row.id(at: 0), progress: row.integer(at: 1))
            }
        }
    }

    public func forget(_ instance: InstanceID) async throws(StorageError) {
        _ = try await writing(.instances) { connection in
            try connection.run(RequestStatements.forgetWriter, [.id(instance), .integer(instance.number)])
        }
    }

    /// Looks at what the server has sent ten times a second, and once a second asks it: so a notification that is lost,
    /// with its connection or without, is made up for.
    public func watchChanges(_ changed: @escaping @Sendable (Int64) -> Void) {
        watch { [ledgerMetrics] pool in
            guard pool.connector.dialect.tellChange != nil else { return }
            let looks = Atomic<Int>(0)
            pool.repeatTurn(every: .milliseconds(100)) { slot in
                // While the ledger can't write, its turns find the database again: connecting may keep them waiting.
                guard !ledgerMetrics.isFailing, let connection = try? slot.connected() else { return }
                let look = looks.wrappingAdd(1, ordering: .relaxed).newValue
                guard connection.takeNews() || look.isMultiple(of: 10) else { return }
                let count = try? connection.first(InstanceStatements.changes) { (row) throws(SQLError) in
                    row.integer(at: 0)
                }
                if let count = count ?? nil { changed(count) }
            }
        }
    }
}

private enum InstanceStatements {
    static let beat = SQLStatement(
        """
        INSERT INTO ledger_writers (instance_id, last_sequence, updated_at, beats) VALUES ($1, 0, $2, 1)
        ON CONFLICT (instance_id) DO UPDATE
            SET beats = ledger_writers.beats + 1, updated_at = excluded.updated_at
        """)
    static let list = SQLStatement("SELECT instance_id, last_sequence + beats FROM ledger_writers ORDER BY instance_id")
    static let changes = SQLStatement("SELECT count FROM grant_changes WHERE id = 1")
}
