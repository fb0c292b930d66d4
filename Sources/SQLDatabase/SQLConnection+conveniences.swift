extension SQLConnection {
    /// Runs one statement with all of `parameters`.
    @discardableResult
    public func run(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters,
        row: (any SQLRow) throws(SQLError) -> Void = { _ in }
    ) throws(SQLError) -> Int {
        try run(statement, parameters, first: 0, count: parameters.count, row: row)
    }

    /// Runs one statement with `values`. Where every microsecond counts, reuse an ``SQLParameters`` instead.
    @discardableResult
    public func run(
        _ statement: SQLStatement, _ values: [SQLValue] = [], row: (any SQLRow) throws(SQLError) -> Void = { _ in }
    ) throws(SQLError) -> Int {
        let parameters = SQLParameters(values)
        return try run(statement, parameters, first: 0, count: parameters.count, row: row)
    }

    /// What `decode` makes of each row.
    public func all<Value>(
        _ statement: SQLStatement, _ values: [SQLValue] = [], _ decode: (any SQLRow) throws(SQLError) -> Value
    ) throws(SQLError) -> [Value] {
        var found: [Value] = []
        try run(statement, values) { (row) throws(SQLError) in found.append(try decode(row)) }
        return found
    }

    /// What `decode` makes of the first row; `nil` without one.
    public func first<Value>(
        _ statement: SQLStatement, _ values: [SQLValue] = [], _ decode: (any SQLRow) throws(SQLError) -> Value
    ) throws(SQLError) -> Value? {
        var found: Value?
        try run(statement, values) { (row) throws(SQLError) in
            if found == nil { found = try decode(row) }
        }
        return found
    }

    /// Runs `body` in a transaction: committed when it returns, undone when it throws. No error hides another.
    public func transaction<Value, Failure: Error>(
        _ mode: TransactionMode, _ body: () throws(Failure) -> Value
    ) throws(TransactionError<Failure>) -> Value {
        do throws(SQLError) { try begin(mode) } catch { throw .begin(error) }
        let value: Value
        do throws(Failure) {
            value = try body()
        } catch {
            throw .body(error, rollback: rollbackError())
        }
        do throws(SQLError) {
            try commit()
        } catch {
            throw .commit(error, rollback: rollbackError())
        }
        return value
    }

    private func rollbackError() -> SQLError? {
        do throws(SQLError) {
            try rollback()
            return nil
        } catch {
            return error
        }
    }
}

/// Where a transaction failed, and whether undoing it failed too.
public enum TransactionError<Body: Error>: Error {
    /// Nothing was begun.
    case begin(SQLError)
    /// The body threw; its changes are undone unless `rollback` says otherwise.
    case body(Body, rollback: SQLError?)
    /// The engine refused to commit, or the connection broke before it said so: then the outcome is not known.
    case commit(SQLError, rollback: SQLError?)
}

extension TransactionError where Body == SQLError {
    /// The error that came first. That of a rollback goes into its detail.
    public var first: SQLError {
        switch self {
        case .begin(let error): error
        case .body(let error, let rollback), .commit(let error, let rollback):
            rollback.map { error.adding("; rollback failed: \($0.debugDescription)") } ?? error
        }
    }
}

extension SQLError {
    /// The same error with more words for the log.
    public func adding(_ words: String) -> SQLError { SQLError(kind, code: code, detail: detail + words) }
}
