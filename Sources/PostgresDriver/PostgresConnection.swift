import CPostgres
import Glibc
import SQLDatabase
import Synchronization

/// One connection to PostgreSQL: confined to the thread that made it, which waits for the server's answers.
final class PostgresConnection: SQLConnection {
    private let handle: OpaquePointer
    private let counters: PostgresCounters
    private let stopper = PostgresInterrupter()
    /// Statements the server has prepared, by ``SQLStatement/slot``.
    private var prepared: [PreparedStatement?] = []
    private var arguments = PostgresArguments()
    /// How long an answer may take before the connection counts as lost; `nil` for as long as it takes.
    private var patience: Duration?
    private let usualPatience: Duration
    private var isClosed = false
    private var hasNews = false

    let dialect = PostgresDatabase.dialect
    var interrupter: any SQLInterrupter { stopper }
    var isInTransaction: Bool {
        switch PQtransactionStatus(handle) {
        case PQTRANS_INTRANS, PQTRANS_INERROR, PQTRANS_ACTIVE: true
        default: false
        }
    }
    private(set) var isLost = false

    private struct PreparedStatement {
        let name: String
        let parameterCount: Int
    }

    /// - Parameter patience: beyond the server's own time-outs, so that only one that is silent runs into it.
    init(_ handle: OpaquePointer, patience: Duration, _ counters: PostgresCounters) {
        self.handle = handle
        self.counters = counters
        usualPatience = patience
        self.patience = patience
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        isLost = true
        PQfinish(handle)
        arguments.deallocate()
    }

    @discardableResult
    func run(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters, first: Int, count: Int,
        row: (any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) -> Int {
        if stopper.isRaised { throw SQLError(.interrupted) }
        let prepared = try prepared(statement)
        guard prepared.parameterCount == count else {
            throw SQLError(.other, detail: "\(prepared.parameterCount) parameters wanted, \(count) given")
        }
        try arguments.set(parameters, first: first, count: count)
        let isSent = arguments.values.withUnsafeBufferPointer { values in
            PQsendQueryPrepared(handle, prepared.name, Int32(count), values.baseAddress, nil, nil, 0)
        }
        let result = try answer(isSent: isSent == 1)
        defer { PQclear(result) }
        for number in 0..<PQntuples(result) { try row(PostgresRow(result: result, row: number)) }
        return Self.changes(result)
    }

    func runScript(_ text: String) throws(SQLError) {
        PQclear(try answer(isSent: PQsendQuery(handle, text) == 1))
    }

    /// A transaction that reads a snapshot, and one that migrates, may take as long as they need: the server's time-outs
    /// are lifted for it, and so is our own.
    func begin(_ mode: TransactionMode) throws(SQLError) {
        switch mode {
        case .write: try control("BEGIN")
        case .read:
            patience = nil
            try control("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0")
        case .exclusive:
            patience = nil
            try control("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        }
    }

    func commit() throws(SQLError) {
        patience = usualPatience
        // After a failed statement the server answers COMMIT with ROLLBACK, and calls that a success.
        guard PQtransactionStatus(handle) != PQTRANS_INERROR else {
            throw SQLError(.other, code: "25P02", detail: "the transaction has failed already")
        }
        try control("COMMIT")
    }

    func rollback() throws(SQLError) {
        patience = usualPatience
        guard !isLost, isInTransaction else { return }
        try control("ROLLBACK")
    }

    /// Runs what begins or ends a transaction: also when the caller wants to be interrupted.
    private func control(_ text: String) throws(SQLError) { try runScript(text) }
}

// MARK: - Statements

extension PostgresConnection {
    private func prepared(_ statement: SQLStatement) throws(SQLError) -> PreparedStatement {
        let slot = statement.slot
        if slot < prepared.count, let found = prepared[slot] { return found }
        let name = "s\(slot)"
        PQclear(try answer(isSent: PQsendPrepare(handle, name, statement.text, 0, nil) == 1))
        let described = try answer(isSent: PQsendDescribePrepared(handle, name) == 1)
        defer { PQclear(described) }
        let made = PreparedStatement(name: name, parameterCount: Int(PQnparams(described)))
        while prepared.count <= slot { prepared.append(nil) }
        prepared[slot] = made
        return made
    }

    /// How many rows a statement added, changed or removed: `INSERT 0 5`, `UPDATE 5`; 0 for `SELECT 5`.
    private static func changes(_ result: OpaquePointer) -> Int {
        guard let status = PQcmdStatus(result), status.pointee != UInt8(ascii: "S") else { return 0 }
        return Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    /// Waits for the answer to what was sent: the last result, if there are several.
    private func answer(isSent: Bool) throws(SQLError) -> OpaquePointer {
        guard isSent else { throw lost() }
        var last: OpaquePointer?
        var failure: SQLError?
        while let result = try nextResult(holding: last) {
            if let last { PQclear(last) }
            last = result
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK: break
            default: failure = failure ?? noted(PostgresFailure.error(result))
            }
        }
        noteNotifications()
        if var failure {
            PQclear(last)
            if PQstatus(handle) != CONNECTION_OK, !isLost {
                _ = lost()
                failure = SQLError(.connectionLost, code: failure.code, detail: failure.detail)
            }
            throw failure
        }
        guard let last else { throw lost() }
        return last
    }

    /// The next result; `nil` when there is none left. Clears `held` when the connection breaks.
    private func nextResult(holding held: OpaquePointer?) throws(SQLError) -> OpaquePointer? {
        let deadline = patience.map { Monotonic.now() + $0 }
        while PQisBusy(handle) == 1 {
            guard try waitForServer(until: deadline), PQconsumeInput(handle) == 1 else {
                PQclear(held)
                throw lost()
            }
        }
        return PQgetResult(handle)
    }

    /// Waits until the server has sent something. Sends a cancel request when asked to meanwhile.
    /// - Returns: `false` when the deadline has passed.
    private func waitForServer(until deadline: Duration?) throws(SQLError) -> Bool {
        var watched = [
            pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopper.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let left = deadline.map { max(.zero, $0 - Monotonic.now()) }
            let milliseconds = left.map { Int32(min($0 / .milliseconds(1), 1_000_000).rounded(.up)) } ?? -1
            let ready = poll(&watched, 2, milliseconds)
            if ready == 0 { return false }
            guard ready > 0 else { continue }
            if watched[1].revents != 0 { cancel() }
            if watched[0].revents != 0 { return true }
        }
    }

    private func cancel() {
        stopper.settle()
        guard stopper.isRaised, let request = PQgetCancel(handle) else { return }
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(request, &message, Int32(message.count))
        PQfreeCancel(request)
    }

    private func lost() -> SQLError {
        isLost = true
        counters.lost.add(1, ordering: .relaxed)
        return PostgresFailure.connectionLost(handle)
    }

    private func noted(_ error: SQLError) -> SQLError {
        switch error.kind {
        case .busy:
            if error.code == "57014", stopper.isRaised { return SQLError(.interrupted, code: error.code) }
            counters.busy.add(1, ordering: .relaxed)
        case .conflict: counters.conflicts.add(1, ordering: .relaxed)
        case .connectionLost: isLost = true
        // A server that became a standby: another connection may find the primary.
        case .readOnly where error.code == "25006": isLost = true
        default: break
        }
        return error
    }
}

// MARK: - Between statements

extension PostgresConnection {
    /// Looks at what the server has sent unasked: its end, or news. Costs one system call.
    func checkHealth() {
        guard !isLost else { return }
        var watched = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, 0) > 0 else { return }
        if PQconsumeInput(handle) == 0 || PQstatus(handle) != CONNECTION_OK { _ = lost() }
        noteNotifications()
    }

    func takeNews() -> Bool {
        checkHealth()
        defer { hasNews = false }
        return hasNews
    }

    private func noteNotifications() {
        while let notification = PQnotifies(handle) {
            hasNews = true
            PQfreemem(notification)
        }
    }
}
