public import ProxyDomain
import ProxyStorage
public import SQLDatabase

/// Copies all that one database keeps into another, of whatever engine, and proves that it arrived.
///
/// Both must have this program's schema, and nobody may write to either meanwhile. Rows go over in the order of their keys, a
/// page at a time: the next is read while one is written, and what stopped half-way goes on where it was.
public struct DatabaseCopy: Sendable {
    private let source: ConnectionPool
    private let target: ConnectionPool
    /// What ``CopyRecord/source`` will say.
    private let sourceName: String

    public init(from source: ConnectionPool, named sourceName: String, to target: ConnectionPool) {
        self.source = source
        self.target = target
        self.sourceName = sourceName
    }

    /// How many rows each table of the source has, in the order in which they are copied.
    public func sourceRows() async throws -> [TableRows] { try await Self.rows(in: source) }

    /// How many rows each table of the target has.
    public func targetRows() async throws -> [TableRows] { try await Self.rows(in: target) }

    /// Whether what is in the target was left there by a copy of the same source that did not end.
    public func goesOn() async throws -> Bool { try await target.read(CopyRecord.unfinished)?.source == sourceName }

    /// Copies what the target does not have yet, then compares both sides. The target is one to serve from after ``finish(at:)``.
    /// - Parameters:
    ///   - replacing: whether what is in the target is removed first, also what an earlier run of the same copy has brought.
    ///   - progress: told after every page.
    /// - Throws: ``DatabaseCopyError``, or what an engine said.
    public func run(
        replacing: Bool, now: Timestamp, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> CopyResult {
        let goesOn = try await goesOn()
        let held = try await targetRows()
        let isEmpty = held.allSatisfy { $0.rows == 0 }
        guard goesOn || replacing || isEmpty else { throw DatabaseCopyError.targetNotEmpty(held) }
        guard try await source.read(CopyRecord.unfinished) == nil else { throw DatabaseCopyError.sourceUnfinished }
        if let move = try await source.read(MoveRecord.read), move.state == .moved {
            throw DatabaseCopyError.moved(to: move.target)
        }
        let there = try await sourceRows()
        if replacing || !goesOn { try await begin(clearing: !isEmpty, at: now) }
        let total = there.reduce(0) { $0 + $1.rows }
        let start = Monotonic.now()
        try await copy(CopyMeter(.copying, total: total, alreadyDone: goesOn && !replacing ? held : [], progress))
        if let upkeep = target.connector.dialect.search.upkeep?("audit_events") {
            try await target.write { try $0.runScript(upkeep.rebuild) }
        }
        let middle = Monotonic.now()
        let tables = try await compare(CopyMeter(.comparing, total: total, alreadyDone: [], progress))
        let took = (copying: middle - start, comparing: Monotonic.now() - middle)
        // Rows that were there when it began and are not now were never copied.
        for (table, before) in zip(tables, there) where table.checksum.rows < before.rows {
            throw DatabaseCopyError.shrunk(table: table.name, before: before.rows, now: table.checksum.rows)
        }
        return CopyResult(
            wentOn: goesOn, tables: tables, copying: took.copying, comparing: took.comparing)
    }

    /// What arrived is a database to serve from.
    /// - Parameter event: what its audit will say; nothing that the source's says.
    public func finish(at now: Timestamp, recordedAs event: AuditEvent? = nil) async throws {
        let changes = try await source.read { try GrantChanges.count(on: $0) }
        try await target.write { connection in
            try connection.transaction(.write) { () throws(SQLError) in
                if let event { try AuditChain.append(event, on: connection) }
                try CopyRecord.end(at: now, on: connection)
                try GrantChanges.raise(above: changes, on: connection)
            }
        }
    }

    /// Makes the target a copy that has begun.
    /// - Parameter clearing: whether there is something in it, which goes.
    func begin(clearing: Bool, at now: Timestamp) async throws {
        let name = sourceName
        try await target.write { connection in
            try connection.transaction(.exclusive) { () throws(SQLError) in
                // Nor is it on its way to another place any more, or there already.
                try ChangeNotes.end(on: connection)
                if clearing {
                    for table in StoredTable.all.reversed() { try connection.run(table.clear) }
                    for statement in Self.forgetting { try connection.run(statement) }
                }
                // Of what is in no table that is copied: of sums of other rows, and of sign-ins with other credentials, nothing may stay.
                try StaleSpan.forgetSums(on: connection)
                try connection.run(Self.forgetSessions)
                try CopyRecord.begin(from: name, at: now, on: connection)
            }
        }
    }

    private func copy(_ meter: CopyMeter) async throws {
        for table in StoredTable.all {
            try await copy(table, meter) { [target] page in
                try await target.write { connection in
                    try connection.transaction(.write) { () throws(SQLError) in try page.insert(on: connection) }
                }
            }
        }
    }

    /// Hands over the rows of a table that come after the target's last one, a page at a time.
    func copy(_ table: StoredTable, _ meter: CopyMeter, insert: (RowPage) async throws -> Void) async throws {
        meter.begin(table.name)
        let last = try await target.read { try RowPage.last(of: table, on: $0) }
        var page = try await read(table, after: last)
        while page.count > 0 {
            let key = page.isFull ? page.lastKey : nil
            async let next = key == nil ? nil : read(table, after: key)
            try await insert(page)
            meter.add(page.count)
            guard let following = try await next else { break }
            page = following
        }
    }

    private func read(_ table: StoredTable, after key: [SQLValue]?) async throws -> RowPage {
        try await source.read { try RowPage.read(table, after: key, on: $0) }
    }

    private func compare(_ meter: CopyMeter) async throws -> [CopiedTable] {
        var copied: [CopiedTable] = []
        for table in StoredTable.all {
            meter.begin(table.name)
            async let there = Self.checksum(of: table, in: source) { meter.add($0) }
            async let here = Self.checksum(of: table, in: target) { _ in }
            let (expected, found) = try await (there, here)
            guard expected == found else {
                throw DatabaseCopyError.differs(table: table.name, source: expected, target: found)
            }
            copied.append(CopiedTable(name: table.name, checksum: found))
        }
        return copied
    }

    private static func checksum(
        of table: StoredTable, in pool: ConnectionPool, page told: @Sendable (Int) -> Void
    ) async throws -> TableChecksum {
        var checksum = TableChecksum()
        var key: [SQLValue]?
        while true {
            let after = key
            let page = try await pool.read { try RowPage.read(table, after: after, on: $0) }
            page.add(to: &checksum)
            told(page.count)
            guard page.isFull else { return checksum }
            key = page.lastKey
        }
    }

    /// How many rows each table of a database has, in the order in which they are copied.
    public static func rows(in pool: ConnectionPool) async throws -> [TableRows] {
        try await pool.read { connection in
            // For as long as counting takes.
            try connection.transaction(.read) { () throws(SQLError) in
                var rows: [TableRows] = []
                for table in StoredTable.all {
                    let count = try connection.first(table.count) { (row) throws(SQLError) in row.integer(at: 0) }
                    rows.append(TableRows(name: table.name, rows: count ?? 0))
                }
                return rows
            }
        }
    }

    private static let forgetting = ["cached_responses", "cache_uses", "remembered_answers"].map {
        SQLStatement("DELETE FROM \($0)")
    }
    private static let forgetSessions = SQLStatement("DELETE FROM admin_sessions")
}

/// How many rows a table has.
public struct TableRows: Hashable, Sendable {
    public let name: String
    public let rows: Int64
}

/// What a copy did.
public struct CopyResult: Sendable {
    /// Whether it went on with a copy that had not ended.
    public let wentOn: Bool
    /// What is in each table, equal on both sides.
    public let tables: [CopiedTable]
    /// How long it took to bring the rows over, and to compare both sides.
    public let copying: Duration
    public let comparing: Duration
}

/// A table that is the same on both sides.
public struct CopiedTable: Hashable, Sendable {
    public let name: String
    public let checksum: TableChecksum

    public var rows: TableRows { TableRows(name: name, rows: checksum.rows) }
}

/// Why a copy ended without being whole. What the target holds then is no database to serve from, and no server does.
public enum DatabaseCopyError: Error, Hashable, Sendable {
    /// There is something in the target, and nobody said that it may go.
    case targetNotEmpty([TableRows])
    /// What is to be copied is itself a part of another database.
    case sourceUnfinished
    /// There are fewer rows in the source than when the copy began.
    case shrunk(table: String, before: Int64, now: Int64)
    /// The source's servers are at another database already.
    case moved(to: String)
    /// Another database follows the source.
    case movesElsewhere(to: String)
    /// After all that was brought over, a row is not like the source's: somebody has written to the target.
    case rowDiffers(table: String, key: String)
    /// Another run of the same command has taken over.
    case putAside
    /// Servers have waited for the rest for too long, and serve from the source again.
    case tookTooLong
    /// After all was copied, a table of the target is not like the source's: somebody has written to one of them.
    case differs(table: String, source: TableChecksum, target: TableChecksum)
}
