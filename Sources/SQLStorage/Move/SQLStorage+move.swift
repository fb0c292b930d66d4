public import ProxyDomain
public import ProxyStorage
public import SQLDatabase

/// What a server needs to go along when its database moves.
extension SQLStorage {
    /// Where the database is moving to, or has moved; `nil` when it stays.
    public func move() async throws(StorageError) -> MoveRecord? { try await reading(.move, MoveRecord.read) }

    /// Says whether a server can follow.
    public func answerMove(_ instance: InstanceID, problem: String?) async throws(StorageError) {
        let answer = MoveAnswer(instance: instance, problem: problem)
        _ = try await writing(.move) { try answer.write(on: $0) }
    }

    /// Opens a database again that was closed for a moment, because nobody ends that.
    /// - Returns: whether it was closed.
    public func reopen() async throws(StorageError) -> Bool { try await writing(.move, MoveRecord.reopen) }

    /// How many changes wait to be brought to where the database moves; 100,000 for more.
    public func changesToFollow() async throws(StorageError) -> Int64 { try await reading(.move, ChangeNotes.count) }

    /// Whether a pool leads to where the database moves: a copy is there that began when the move did.
    public func isTarget(_ pool: ConnectionPool, of move: MoveRecord) async throws -> Bool {
        try await Self.inspect(pool).unfinishedCopy()?.beganAt == move.beganAt
    }

    /// Makes the database that this one has moved to one to serve from, if the command has not.
    /// - Returns: whether it is the one.
    public func finish(_ move: MoveRecord, in pool: ConnectionPool, at now: Timestamp) async throws -> Bool {
        let changes = try await reading(.move, GrantChanges.count)
        return try await pool.write { connection in
            try connection.transaction(.write) { () throws(SQLError) in
                try CopyRecord.finish(beganAt: move.beganAt, changes: changes, at: now, on: connection)
            }
        }
    }

    /// Works on another database from now on, which has all that this one has.
    /// - Returns: what is to be closed with ``leave(_:as:)``.
    public func move(to other: ConnectionPool) -> ConnectionPool { replacePool(by: other) }

    /// Tells a former database that a server has gone, and closes it once what is under way there has ended.
    public static func leave(_ former: ConnectionPool, as instance: InstanceID) async {
        let answer = MoveAnswer(instance: instance, problem: nil, hasMoved: true)
        _ = try? await former.write { try answer.write(on: $0) }
        await former.close()
    }
}

/// Does something again and again, for half a minute, while others hold what it needs.
func untilFree<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    let deadline = Monotonic.now() + .seconds(30)
    while Monotonic.now() < deadline {
        do {
            return try await body()
        } catch  where isBusy(error) {
            try await Task.sleep(for: .milliseconds(100))
        }
    }
    return try await body()
}

private func isBusy(_ error: any Error) -> Bool {
    guard let kind = (error as? TransactionError<SQLError>)?.first.kind else { return false }
    return kind == .busy || kind == .conflict
}
