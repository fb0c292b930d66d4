public import ProxyDomain
import ProxyStorage
public import SQLDatabase

/// Copies a database into another while servers use it, and moves them over.
///
/// The source notes which rows change. Rows go over in the order of their keys, then those that changed, again and again; each row is
/// compared once, and again after each change. At last the source is closed for a moment, until what changed last is there and the
/// same. What stopped half-way goes on where it was.
///
/// One task at a time.
public final class LiveCopy {
    private let source: ConnectionPool
    private let target: ConnectionPool
    /// What ``CopyRecord/source`` will say.
    private let sourceName: String
    /// What ``MoveRecord/target`` will say.
    private let targetName: String
    /// Names this run: of two on one source, the earlier one finds itself put aside.
    private let owner: String
    /// Rows that have changed, or were seen to differ, since they were last seen to be the same.
    private var unproven = UnprovenRows()
    /// Whether the target's index of words is as its events are.
    private var keepsWords = false

    public init(
        from source: ConnectionPool, named sourceName: String, to target: ConnectionPool, named targetName: String,
        owner: String
    ) {
        self.source = source
        self.target = target
        self.sourceName = sourceName
        self.targetName = targetName
        self.owner = owner
    }

    private var copy: DatabaseCopy { DatabaseCopy(from: source, named: sourceName, to: target) }

    /// Begins, or goes on with what has begun.
    /// - Parameters:
    ///   - sealedTarget: the target's URL as ``MoveRecord/sealedTarget`` will have it.
    ///   - replacing: whether what is in the target is removed first, also what an earlier run of the same copy has brought.
    ///   - event: what the source's audit will say; recorded once.
    /// - Returns: whether it went on with what had begun.
    /// - Throws: ``DatabaseCopyError``, or what an engine said.
    public func begin(
        sealedTarget: String, replacing: Bool, recordedAs event: AuditEvent?, now: Timestamp
    ) async throws -> Bool {
        let found = try await source.read(MoveRecord.read)
        let part = try await target.read(CopyRecord.unfinished)
        if let found {
            guard found.state != .moved else { throw DatabaseCopyError.moved(to: found.target) }
            guard found.target == targetName else { throw DatabaseCopyError.movesElsewhere(to: found.target) }
        }
        let isPart = part?.source == sourceName
        let goesOn = isPart && found?.beganAt == part?.beganAt && !replacing
        let held = goesOn ? [] : try await copy.targetRows()
        let isEmpty = held.allSatisfy { $0.rows == 0 }
        guard try await source.read(CopyRecord.unfinished) == nil else { throw DatabaseCopyError.sourceUnfinished }
        guard goesOn || replacing || isEmpty || isPart else { throw DatabaseCopyError.targetNotEmpty(held) }
        let record = MoveRecord(
            state: .following, target: targetName, sealedTarget: sealedTarget, owner: owner, beganAt: now)
        let isOurs = try await changingSource(as: .exclusive) { (connection) throws(SQLError) in
            // Somebody else may have been quicker.
            guard try MoveRecord.read(on: connection) == found else { return false }
            if goesOn {
                try MoveRecord.takeOver(by: record.owner, sealedTarget: sealedTarget, on: connection)
            } else {
                try Self.begin(record, event, on: connection)
            }
            return true
        }
        guard isOurs else { throw DatabaseCopyError.putAside }
        if !goesOn { try await copy.begin(clearing: !isEmpty, at: now) }
        return goesOn
    }

    private static func begin(
        _ record: MoveRecord, _ event: AuditEvent?, on connection: any SQLConnection
    ) throws(SQLError) {
        // Of two that remove rows, and of one who does beside this, the other waits.
        if let lock = connection.dialect.dayParts?.removalLock { try connection.run(lock) }
        if let event { try AuditChain.append(event, on: connection) }
        try ChangeNotes.begin(on: connection)
        try record.write(on: connection)
    }

    /// Changes the source in one transaction, as soon as others let it.
    private func changingSource<Value: Sendable>(
        as mode: TransactionMode = .write,
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws -> Value {
        let source = source
        return try await untilFree {
            try await source.write { connection in
                try connection.transaction(mode) { () throws(SQLError) in try body(connection) }
            }
        }
    }

    /// Brings over what the target does not have yet, and compares all of it.
    /// - Parameter progress: told after every page.
    public func copyRows(progress: @escaping @Sendable (CopyProgress) -> Void) async throws {
        let copy = copy
        let (there, held) = (try await copy.sourceRows(), try await copy.targetRows())
        let total = there.reduce(0) { $0 + $1.rows }
        let meter = CopyMeter(.copying, total: total, alreadyDone: held, progress)
        for (number, table) in StoredTable.all.enumerated() {
            let before = Array(StoredTable.all[..<number])
            // What is referred to is there, in tables that are done with.
            try await followAll(before)
            try await copy.copy(table, meter) { [self] page in try await insert(page, into: table, after: before) }
        }
        if let upkeep = target.connector.dialect.search.upkeep?(Self.searched) {
            try await target.write { try $0.runScript(upkeep.rebuild) }
        }
        keepsWords = true
        try await catchUp()
        try await compare(CopyMeter(.comparing, total: total, alreadyDone: [], progress))
        try await catchUp()
    }

    /// Brings over what has changed until little is left, and compares what was brought.
    public func catchUp() async throws {
        for _ in 0..<50 {
            // Where changes come faster than they go, the end of the loop is found out by who waits for the rest.
            for _ in 0..<500 {
                guard try await follow(StoredTable.all) >= 1000 else { break }
                if unproven.count > 20_000 { try await prove() }
            }
            try await prove()
            if unproven.count < 500 { return }
        }
    }

    /// Which servers said whether they can follow this run.
    public func answers() async throws -> [MoveAnswer] { try await source.read(MoveAnswer.all) }

    /// Closes the source, brings over the rest, and has the target serve. When that fails, the source serves on.
    /// - Parameter arrived: called once the target is whole, and servers may have it.
    /// - Returns: for how long nothing could be changed in either.
    /// - Throws: ``DatabaseCopyError``, or what an engine said.
    public func switchOver(now: Timestamp, arrived: @Sendable () -> Void) async throws -> Duration {
        let start = Monotonic.now()
        let owner = owner
        do {
            try await close()
            while try await follow(StoredTable.all) > 0 {}
            try await prove()
            if let row = unproven.first { throw DatabaseCopyError.rowDiffers(table: row.table, key: row.key) }
            let isOurs = try await changingSource { (connection) throws(SQLError) in
                try MoveRecord.go(from: .closed, to: .moved, by: owner, on: connection)
            }
            guard isOurs else {
                // A server that has waited for too long opens it again.
                let isStillOurs = try await source.read(MoveRecord.read)?.owner == owner
                throw isStillOurs ? DatabaseCopyError.tookTooLong : .putAside
            }
        } catch {
            _ = try? await changingSource { (connection) throws(SQLError) in
                try MoveRecord.go(from: .closed, to: .following, by: owner, on: connection)
            }
            throw error
        }
        try await finish(at: now)
        arrived()
        return Monotonic.now() - start
    }

    /// Makes the target one to serve from, of a source that has moved. A server that comes first does the same.
    private func finish(at now: Timestamp) async throws {
        let copy = copy
        try await untilFree { try await copy.finish(at: now) }
    }

    /// Ends a move of which only its last step, after the source was closed for good, was not done.
    /// - Returns: whether there was one.
    public func finishMoved(now: Timestamp) async throws -> Bool {
        guard let found = try await source.read(MoveRecord.read), found.state == .moved, found.target == targetName,
            try await target.read(CopyRecord.unfinished)?.beganAt == found.beganAt
        else { return false }
        try await finish(at: now)
        return true
    }

    private func close() async throws {
        let owner = owner
        // `.exclusive`, for its time-outs are then ours to set.
        let isOurs = try await changingSource(as: .exclusive) { (connection) throws(SQLError) in
            let capture = connection.dialect.capture
            // Whoever waits for the fence keeps all others waiting.
            if !capture.patience.isEmpty { try connection.runScript(capture.patience) }
            if let fence = capture.fence { try connection.run(fence) }
            return try MoveRecord.go(from: .following, to: .closed, by: owner, on: connection)
        }
        guard isOurs else { throw DatabaseCopyError.putAside }
    }

    /// Ends that a database is followed, and opens it again, whether it has moved or not.
    /// - Parameter event: what its audit will say.
    /// - Returns: how things stood.
    public static func abandon(_ source: ConnectionPool, recordedAs event: AuditEvent?) async throws -> MoveRecord? {
        try await untilFree {
            try await source.write { connection in
                try connection.transaction(.exclusive) { () throws(SQLError) in
                    let found = try MoveRecord.read(on: connection)
                    try ChangeNotes.end(on: connection)
                    if let event, found != nil { try AuditChain.append(event, on: connection) }
                    return found
                }
            }
        }
    }

    /// The table whose words are kept in an index by hand, where the engine doesn't.
    static let searched = "audit_events"
}

// MARK: - Bringing over

extension LiveCopy {
    /// A page may refer to what came into the tables before it meanwhile.
    private func insert(_ page: RowPage, into table: StoredTable, after tables: [StoredTable]) async throws {
        for _ in 0..<5 {
            do {
                return try await write(page, into: table)
            } catch let error as TransactionError<SQLError> where error.first.kind == .constraint(.foreignKey) {
                try await followAll(tables)
            }
        }
        try await write(page, into: table)
    }

    private func write(_ page: RowPage, into table: StoredTable) async throws {
        let parked = try await target.write { connection in
            try connection.transaction(.write) { () throws(SQLError) in
                let parked = try page.parkNames(on: connection)
                try page.insert(on: connection)
                return parked
            }
        }
        unproven.add(parked, of: table.name)
    }

    private func followAll(_ tables: [StoredTable]) async throws {
        while try await follow(tables) >= ChangeNotes.pageLength {}
    }

    /// Brings over rows of some tables that have changed.
    /// - Returns: how many changes there were.
    @discardableResult
    private func follow(_ tables: [StoredTable]) async throws -> Int {
        let notes = try await source.read { try ChangeNotes.read(of: tables, on: $0) }
        guard !notes.isEmpty else { return 0 }
        let changes = RowChanges(notes)
        // Read after their notes, rows are as the notes' transactions left them, or later ones.
        let found = try await source.read { connection in
            try connection.transaction(.read) { () throws(SQLError) in try changes.read(on: connection) }
        }
        let keepsWords = keepsWords
        let parked = try await target.write { connection in
            try connection.transaction(.write) { () throws(SQLError) in
                try changes.apply(found, keepsWords: keepsWords, on: connection)
            }
        }
        let owner = owner
        let isOurs = try await changingSource { (connection) throws(SQLError) in
            try ChangeNotes.forget(notes, by: owner, on: connection)
        }
        guard isOurs else { throw DatabaseCopyError.putAside }
        unproven.add(changes)
        for (table, keys) in parked { unproven.add(keys, of: table) }
        return notes.count
    }
}

// MARK: - Comparing

extension LiveCopy {
    /// Compares all rows, and keeps the keys of those that differ: most have changed in between.
    private func compare(_ meter: CopyMeter) async throws {
        for table in StoredTable.all {
            meter.begin(table.name)
            var key: [SQLValue]?
            while true {
                let (theirs, ours) = try await pages(of: table, after: key)
                meter.add(theirs.count)
                if !theirs.isSame(as: ours) { unproven.add(differencesOf: theirs, and: ours, in: table) }
                guard theirs.isFull || ours.isFull else { break }
                key = theirs.isFull ? theirs.lastKey : ours.lastKey
            }
        }
    }

    /// What both sides have after a key, up to the same one.
    private func pages(of table: StoredTable, after key: [SQLValue]?) async throws -> (theirs: RowPage, ours: RowPage) {
        let (source, target) = (source, target)
        async let asked = source.read { try RowPage.read(table, after: key, on: $0) }
        async let found = target.read { try RowPage.read(table, after: key, on: $0) }
        let (theirs, ours) = try await (asked, found)
        guard theirs.isFull, !theirs.isSame(as: ours), let end = theirs.lastKey else { return (theirs, ours) }
        return (theirs, try await target.read { try RowPage.read(table, after: key, upTo: end, on: $0) })
    }

    /// Compares the rows that have changed since they were last seen to be the same.
    private func prove() async throws {
        let (source, target) = (source, target)
        for (table, keys) in unproven.pages(of: StoredTable.pageLength) {
            async let theirs = source.read { try RowPage.read(table, keys: keys, on: $0).checksums }
            async let ours = target.read { try RowPage.read(table, keys: keys, on: $0).checksums }
            let (expected, found) = try await (theirs, ours)
            unproven.remove(keys.filter { expected[$0] == found[$0] }, of: table)
        }
    }
}
