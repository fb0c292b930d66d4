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
    public func reopen() async throws(StorageError) -> Bool {
        try await writing(.move) { try MoveRecord.go(from: .closed, to: .following, on: $0) }
    }

    /// Works on another database from now on, which has all that this one has. What is under way here ends here.
    /// - Parameter instance: the server, of which the former database is told that it has gone.
    public func move(to other: ConnectionPool, as instance: InstanceID) async {
        let former = replacePool(by: other)
        let answer = MoveAnswer(instance: instance, problem: nil, hasMoved: true)
        _ = try? await former.write { try answer.write(on: $0) }
        await former.close()
    }

    /// Whether a database is one to serve from: it has this program's schema, and isn't part of a copy.
    public static func isServable(_ pool: ConnectionPool) async throws -> Bool {
        try await inspect(pool).unfinishedCopy() == nil
    }
}

/// Does something again and again, for half a minute at most, while others hold what it needs.
func untilFree<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    for _ in 0..<100 {
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
