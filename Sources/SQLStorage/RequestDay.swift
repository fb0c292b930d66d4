import ProxyDomain
import ProxyStorage
import SQLDatabase

/// A day (UTC) of requests: those whose identifiers begin with an instant of it.
struct RequestDay: Hashable, Sendable {
    private static let milliseconds: Int64 = 86_400_000

    /// Days since 1970.
    private let number: Int64

    init(of instant: Timestamp) { number = instant.daysSince1970 }

    init(of id: RequestID) { number = Int64(id.identifier.high >> 16) / Self.milliseconds }

    /// `YYYY-MM-DD`.
    var text: String { String(start.text.prefix(10)) }
    var start: Timestamp { Timestamp(milliseconds: number * Self.milliseconds) }

    /// No identifier of an earlier instant is as large, and none of a later one is smaller.
    var firstKey: String {
        let milliseconds = UInt64(clamping: start.milliseconds) & 0xFFFF_FFFF_FFFF
        return String(Identifier(high: milliseconds << 16, low: 0).text.prefix(13))
    }

    func contains(_ id: RequestID) -> Bool { RequestDay(of: id) == self }

    func contains(_ batch: LedgerBatch) -> Bool {
        batch.admissions.allSatisfy { contains($0.requestID) }
            && batch.settlements.allSatisfy { contains($0.requestID) }
    }
}

/// Where a batch's requests are: in today's part by its name where that can be, which costs an engine less than finding it.
struct DayTables {
    private var day: RequestDay?
    private var table: LedgerTable?

    /// Forgets what is known of parts: one may be gone.
    mutating func forget() { self = DayTables() }

    mutating func table(
        for batch: LedgerBatch, on connection: any SQLConnection
    ) throws(SQLError) -> LedgerTable {
        guard let parts = connection.dialect.dayParts else { return .all }
        let today = RequestDay(of: batch.now)
        guard today.contains(batch) else { return .all }
        if day != today {
            let name = DayParts.name(of: "requests", on: today.text)
            let isThere = try connection.first(parts.exists, [.text(name)]) { (row) throws(SQLError) in
                row.integer(at: 0) == 1
            }
            table = isThere == true ? LedgerTable(name) : nil
            day = today
        }
        return table ?? .all
    }
}
