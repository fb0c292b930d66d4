public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func record(_ event: AuditEvent) async throws(StorageError) {
        _ = try await writing(.recordAudit) { connection in try AuditChain.append(event, on: connection) }
    }

    public func auditEvent(_ id: AuditEventID) async throws(StorageError) -> AuditEvent {
        let found = try await reading(.readAudit) { connection in
            try connection.first(AuditStatements.find, [.id(id)]) { (row) throws(SQLError) in try row.auditEvent() }
        }
        guard let found else { throw StorageError(.notFound) }
        return found
    }

    public func auditEvents(
        _ filter: AuditFilter, skipping skipped: Int, limit: Int
    ) async throws(StorageError) -> (events: [AuditEvent], total: Int) {
        let (statements, values) = (AuditStatements.of(pool.connector.dialect), filter.values)
        let isSearch = filter.words != nil
        // Nothing is a word of it, so nothing has it.
        guard filter.words.map({ !SearchWords.of($0).isEmpty }) ?? true else { return ([], 0) }
        return try await reading(.listAudit) { connection in
            let total = try connection.first(isSearch ? statements.countFound : statements.count, values) {
                (row) throws(SQLError) in Int(row.integer(at: 0))
            }
            let events = try connection.all(
                isSearch ? statements.found : statements.list,
                values + [.integer(Int64(limit.clampedToPage)), .integer(Int64(max(0, skipped)))]
            ) { (row) throws(SQLError) in try row.auditEvent() }
            return (events, total ?? 0)
        }
    }

    public func pruneAudit(before instant: Timestamp, atMost limit: Int) async throws(StorageError) -> Int {
        try await writing(.prune) { connection in
            guard try !MoveRecord.holdsRemoval(on: connection) else { return 0 }
            // The end is locked first, as whoever adds an event does.
            guard try connection.run(AuditStatements.lock) > 0 else { return 0 }
            let last = try connection.first(AuditStatements.lastBefore, [.instant(instant), .integer(Int64(limit))]) {
                (row) throws(SQLError) in (number: row.integer(at: 0), link: row.text(at: 1))
            }
            guard let last else { return 0 }
            try connection.run(AuditStatements.rebase, [.integer(last.number), .text(last.link)])
            if let remove = AuditStatements.of(connection.dialect).removeWords {
                try connection.run(remove, [.integer(last.number)])
            }
            return try connection.run(AuditStatements.remove, [.integer(last.number)])
        }
    }
}

extension AuditFilter {
    /// In the order of ``AuditStatements/conditions``, the words last if there are any.
    fileprivate var values: [SQLValue] {
        let plain: [SQLValue] = [
            .optional(action), .optional(actor), .optional(outcome?.rawValue), .optional(method), .optional(path),
            .optional(requestID), .optional(correlationID), .optional(clientAddress), .optional(projectID?.text),
            .optional(tokenID?.text), .optional(since), .optional(until), .optional(metadata?.name),
            .optional(metadata?.value),
        ]
        return plain + (words.map { [.text(SearchWords.of($0))] } ?? [])
    }
}
