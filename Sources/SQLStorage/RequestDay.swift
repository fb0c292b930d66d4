import ProxyDomain
import ProxyStorage
import SQLDatabase

/// A day (UTC) of requests: those whose identifiers begin with an instant of it.
struct RequestDay: Hashable, Comparable, Sendable {
    private static let milliseconds: Int64 = 86_400_000

    /// Days since 1970.
    private let number: Int64

    init(of instant: Timestamp) { number = instant.daysSince1970 }

    init(of id: RequestID) { number = Int64(id.identifier.high >> 16) / Self.milliseconds }

    /// `YYYY-MM-DD`.
    var text: String { String(start.text.prefix(10)) }
    var start: Timestamp { Timestamp(milliseconds: number * Self.milliseconds) }

    /// No identifier of an earlier instant is as large, and none of a later one is smaller.
    var firstKey: String { start.firstRequestKey }

    static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    func contains(_ id: RequestID) -> Bool { RequestDay(of: id) == self }

    func contains(_ batch: LedgerBatch) -> Bool {
        batch.admissions.allSatisfy { contains($0.requestID) }
            && batch.settlements.allSatisfy { contains($0.requestID) }
    }
}

/// Where a batch's requests are.
struct LedgerTables {
    /// The table of all of them, if there is one.
    let only: LedgerTable?
    private let days: [RequestDay: LedgerTable]

    /// All in one.
    init(_ table: LedgerTable) { (only, days) = (table, [:]) }

    /// Each in its day's.
    init(_ days: [RequestDay: LedgerTable]) { (only, self.days) = (nil, days) }

    /// Sorts places by the table of the request that each stands for.
    func split(_ places: Range<Int>, _ id: (Int) -> RequestID) -> [(table: LedgerTable, places: [Int])] {
        if let only { return places.isEmpty ? [] : [(only, Array(places))] }
        let byDay = Dictionary(grouping: places) { RequestDay(of: id($0)) }
        return byDay.sorted { $0.key < $1.key }.map { (days[$0.key] ?? .all, $0.value) }
    }
}

/// Finds the parts of the table that a batch is in. An engine that is told them by name has not to find them, nor to lock all.
struct DayTables {
    /// Days that were looked for, with their parts, or with all where they have none.
    private var known: [RequestDay: LedgerTable] = [:]

    /// Forgets what is known of parts: one may be gone.
    mutating func forget() { self = DayTables() }

    mutating func tables(
        for batch: LedgerBatch, on connection: any SQLConnection
    ) throws(SQLError) -> LedgerTables {
        guard let parts = connection.dialect.dayParts else { return LedgerTables(.all) }
        let today = RequestDay(of: batch.now)
        if today.contains(batch) { return LedgerTables(try table(of: today, parts, connection)) }
        var days: [RequestDay: LedgerTable] = [:]
        for id in batch.admissions.map(\.requestID) + batch.settlements.map(\.requestID) {
            let day = RequestDay(of: id)
            if days[day] == nil { days[day] = try table(of: day, parts, connection) }
        }
        return LedgerTables(days)
    }

    private mutating func table(
        of day: RequestDay, _ parts: DayParts, _ connection: any SQLConnection
    ) throws(SQLError) -> LedgerTable {
        if let table = known[day] { return table }
        if known.count >= 8 { forget() }
        let name = DayParts.name(of: "requests", on: day.text)
        let isThere = try connection.first(parts.exists, [.text(name)]) { (row) throws(SQLError) in
            row.integer(at: 0) == 1
        }
        let table = isThere == true ? LedgerTable(name) : .all
        known[day] = table
        return table
    }
}
