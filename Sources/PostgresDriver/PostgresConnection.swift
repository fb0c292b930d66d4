import CPostgres
import Glibc
import SQLDatabase
import Synchronization

/// One connection to PostgreSQL: confined to the thread that made it, which waits for the server's answers.
///
/// What is enqueued goes out in libpq's pipeline mode (manual, section 34.5) and is answered together.
final class PostgresConnection: SQLConnection {
    /// Something sent whose answer has not been read.
    private enum Awaited {
        /// Its answer tells only whether it went well.
        case control
        /// The same, of a statement that is prepared by it.
        case preparation(slot: Int)
        case rows((any SQLRow) throws(SQLError) -> Void)
    }

    private let handle: OpaquePointer
    private let counters: PostgresCounters
    private let stopper = PostgresInterrupter()
    private let farewell = PostgresFarewell()
    /// Names of the statements the server has prepared, by ``SQLStatement/slot``.
    private var prepared: [String?] = []
    private var lastName = 0
    private var arguments = PostgresArguments()
    /// How long an answer may take before the connection counts as lost; `nil` for as long as it takes.
    private var patience: Duration?
    private let usualPatience: Duration
    /// How long plans are kept; `nil` for as long as the server likes.
    private let planLifetime: Duration?
    private var planned = Monotonic.now()
    private var isClosed = false
    private var hasNews = false
    private var awaited: [Awaited] = []
    /// A transaction has been begun, and the server does not know yet.
    private var mustBegin = false
    private var cancellation: PostgresCancellation?
    /// How many rows the last statement changed.
    private var changes = 0

    let dialect = PostgresDatabase.dialect
    var interrupter: any SQLInterrupter { stopper }
    var isInTransaction: Bool {
        if mustBegin { return true }
        return switch PQtransactionStatus(handle) {
        case PQTRANS_INTRANS, PQTRANS_INERROR, PQTRANS_ACTIVE: true
        default: false
        }
    }
    private(set) var isLost = false

    /// - Parameter patience: beyond the server's own time-outs, so that only one that is silent runs into it.
    init(_ handle: OpaquePointer, patience: Duration, planLifetime: Duration? = nil, _ counters: PostgresCounters) {
        self.handle = handle
        self.planLifetime = planLifetime
        self.counters = counters
        usualPatience = patience
        self.patience = patience
        farewell.listen(on: handle)
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
        // It is called before this returns, and not kept.
        try withoutActuallyEscaping(row) { (row) throws(SQLError) in
            try enqueue(statement, parameters, first: first, count: count, row: row)
            try complete()
        }
        return changes
    }

    func enqueue(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters, first: Int, count: Int,
        row: @escaping (any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) {
        if stopper.isRaised { throw SQLError(.interrupted) }
        try statement.checkCount(count)
        try arguments.set(parameters, first: first, count: count)
        try enterPipeline()
        let name = try prepare(statement)
        let isSent = arguments.values.withUnsafeBufferPointer { values in
            PQsendQueryPrepared(handle, name, Int32(count), values.baseAddress, nil, nil, 0)
        }
        guard isSent == 1 else { throw lost() }
        awaited.append(.rows(row))
    }

    func complete() throws(SQLError) {
        // Taken first: a closure that was lent to `run` must not be kept, whatever fails.
        let expected = awaited
        awaited = []
        guard PQpipelineStatus(handle) != PQ_PIPELINE_OFF else { return }
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        var failure: SQLError?
        for (index, one) in expected.enumerated() {
            do throws(SQLError) {
                try read(one)
            } catch {
                if isLost { throw failure ?? error }
                if failure == nil { forgetPreparations(in: expected[index...]) }
                failure = failure ?? error
            }
        }
        let commitFailure = try readSync()
        guard PQexitPipelineMode(handle) == 1 else {
            let gone = lost()
            throw failure ?? gone
        }
        if let failure = failure ?? commitFailure { throw failure }
    }

    func runScript(_ text: String) throws(SQLError) {
        try complete()
        let isFirst = mustBegin
        mustBegin = false
        PQclear(try answer(isSent: PQsendQuery(handle, isFirst ? "BEGIN; \(text)" : text) == 1))
    }

    /// A transaction that writes is begun with its first statement. One that reads a snapshot, and one that migrates, may
    /// take as long as they need: the server's time-outs are lifted for it, and so is our own.
    func begin(_ mode: TransactionMode) throws(SQLError) {
        switch mode {
        case .write: mustBegin = true
        case .read:
            try runScript("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0")
            patience = nil
        case .exclusive:
            try runScript("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
            patience = nil
        }
    }

    /// Goes out with what is enqueued. When some of that fails, the server skips the rest, and does not commit.
    func commit() throws(SQLError) {
        patience = usualPatience
        if mustBegin {
            mustBegin = false
            return
        }
        // After a failed statement the server answers COMMIT with ROLLBACK, and calls that a success.
        guard PQtransactionStatus(handle) != PQTRANS_INERROR else {
            throw SQLError(.other, code: "25P02", detail: "the transaction has failed already")
        }
        try enterPipeline()
        try sendControl("COMMIT")
        try complete()
    }

    func rollback() throws(SQLError) {
        patience = usualPatience
        if mustBegin {
            mustBegin = false
            return
        }
        guard !isLost else { return }
        if PQpipelineStatus(handle) != PQ_PIPELINE_OFF {
            // What was enqueued and not waited for; whatever comes of it is undone.
            do throws(SQLError) { try complete() } catch { if isLost { throw error } }
        }
        guard isInTransaction else { return }
        try runScript("ROLLBACK")
    }
}

// MARK: - Statements

extension PostgresConnection {
    private func enterPipeline() throws(SQLError) {
        if PQpipelineStatus(handle) == PQ_PIPELINE_OFF {
            guard !isLost, PQenterPipelineMode(handle) == 1 else { throw lost() }
            try renewPlans()
        }
        if mustBegin {
            mustBegin = false
            try sendControl("BEGIN")
        }
    }

    /// Plans are made for tables as large as they were then.
    private func renewPlans() throws(SQLError) {
        guard let planLifetime, Monotonic.now() - planned >= planLifetime else { return }
        planned = Monotonic.now()
        try sendControl("DISCARD PLANS")
    }

    private func sendControl(_ text: String) throws(SQLError) {
        guard PQsendQueryParams(handle, text, 0, nil, nil, nil, nil, 0) == 1 else { throw lost() }
        awaited.append(.control)
    }

    /// The name under which a statement is prepared, by the time the server reads it.
    private func prepare(_ statement: SQLStatement) throws(SQLError) -> String {
        let slot = statement.slot
        if slot < prepared.count, let name = prepared[slot] { return name }
        lastName += 1
        let name = "s\(lastName)"
        guard PQsendPrepare(handle, name, statement.text, 0, nil) == 1 else { throw lost() }
        awaited.append(.preparation(slot: slot))
        while prepared.count <= slot { prepared.append(nil) }
        prepared[slot] = name
        return name
    }

    /// After a failure the server has skipped these.
    private func forgetPreparations(in skipped: ArraySlice<Awaited>) {
        for case .preparation(let slot) in skipped { prepared[slot] = nil }
    }

    private func read(_ one: Awaited) throws(SQLError) {
        let result = try answer(isSent: true)
        defer { PQclear(result) }
        guard case .rows(let row) = one else { return }
        changes = Self.changes(result)
        for number in 0..<PQntuples(result) { try row(PostgresRow(result: result, row: number)) }
    }

    /// Reads what ends a pipeline. Statements outside a transaction are committed only there, and may fail there.
    private func readSync() throws(SQLError) -> SQLError? {
        var failure: SQLError?
        // One answer, or that of a failed commit, the end of it, and then the pipeline's own.
        for _ in 0..<3 {
            guard let result = try nextResult(holding: nil) else { continue }
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_PIPELINE_SYNC { return failure }
            failure = failure ?? noted(PostgresFailure.error(result))
            if PQstatus(handle) != CONNECTION_OK { break }
        }
        throw lost()
    }

    /// How many rows a statement added, changed or removed: `INSERT 0 5`, `UPDATE 5`; 0 for `SELECT 5`.
    private static func changes(_ result: OpaquePointer) -> Int {
        guard let status = PQcmdStatus(result), status.pointee != CChar(83) else { return 0 }
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

    /// Waits until the server has sent something. Sends a cancel request when asked to meanwhile, and again while that
    /// does not help: one that comes before the server has begun is lost.
    /// - Returns: `false` when the deadline has passed.
    private func waitForServer(until deadline: Duration?) throws(SQLError) -> Bool {
        var watched = [
            pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopper.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        var firstCancel: Duration?
        while true {
            if stopper.isRaised {
                // A server that doesn't end what it is asked to end can't be heard.
                let since = firstCancel ?? Monotonic.now()
                guard Monotonic.now() - since < Self.cancelPatience else { return false }
                firstCancel = since
                cancel()
            }
            var left = deadline.map { max(.zero, $0 - Monotonic.now()) }
            let isLast = left.map { !stopper.isRaised || $0 <= Self.cancelInterval } ?? false
            if stopper.isRaised { left = min(left ?? Self.cancelInterval, Self.cancelInterval) }
            let milliseconds = left.map { Int32(min($0 / .milliseconds(1), 1_000_000).rounded(.up)) } ?? -1
            let ready = poll(&watched, 2, milliseconds)
            if ready == 0, isLast { return false }
            if ready > 0, watched[0].revents != 0 {
                return endsCancellation()
            }
        }
    }

    private static let cancelInterval = Duration.milliseconds(100)
    /// How long a statement may go on that the server was asked to end, and then a request to end it that is still under way.
    private static let cancelPatience = Duration.seconds(2)

    /// Asks the server to stop, unless it is being asked already.
    private func cancel() {
        stopper.settle()
        if cancellation?.isDone ?? true { cancellation = PostgresCancellation(of: handle) }
    }

    /// - Returns: `false` when a cancel request is still under way ``cancelPatience`` after its statement has ended: it could hit the next.
    private func endsCancellation() -> Bool {
        defer { cancellation = nil }
        return cancellation?.waitUntilDone(for: Self.cancelPatience) ?? true
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
    /// Looks at all that the server has sent unasked: its last words, its end, or news. Costs one system call when there
    /// is nothing.
    func checkHealth() {
        var watched = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        while !isLost, poll(&watched, 1, 0) > 0 {
            // The farewell of a server is read first, the end of the stream behind it next.
            if PQconsumeInput(handle) == 0 || PQstatus(handle) != CONNECTION_OK { _ = lost() }
            noteNotifications()
            if farewell.wasSaid, !isLost { _ = lost() }
        }
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
