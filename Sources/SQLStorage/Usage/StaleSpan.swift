import ProxyDomain
import ProxyStorage
import SQLDatabase

/// A span whose sums are not, or not yet, those of its rows.
struct StaleSpan: Sendable {
    let span: UsageSpan
    let start: Timestamp
    /// Another one each time the span is marked: who sums it up looks whether it still is the same.
    let ticket: Int64
    /// Whether the minutes of an hour have sums of their own, but for those that are marked themselves.
    let hasMinutes: Bool

    var end: Timestamp { span.end(of: start) }

    /// Marks a span.
    /// - Parameter keepsMinutes: whether what is said of its minutes stays when it is marked already.
    static func mark(
        _ span: UsageSpan, _ start: Timestamp, hasMinutes: Bool = false, keepsMinutes: Bool = true,
        on connection: any SQLConnection
    ) throws(SQLError) {
        try connection.run(
            UsageStatements.mark,
            [
                .integer(span.rawValue), .instant(start), .integer(Int64.random(in: 0...Int64.max)),
                .integer(hasMinutes ? 1 : 0), .integer(keepsMinutes ? 0 : 1),
            ])
    }

    /// Marks the minutes that late requests of a batch have come to, and their hours, in one order for all.
    static func mark(
        lateIn batch: LedgerBatch, summedUntil: Int64, on connection: any SQLConnection
    ) throws(SQLError) {
        try UsageHorizon.share(on: connection)
        var marked: Timestamp?
        for minute in batch.lateMinutes(summedUntil: summedUntil) {
            let hour = UsageSpan.hour.start(of: minute)
            if hour != marked { try mark(.hour, hour, on: connection) }
            marked = hour
            try mark(.minute, minute, on: connection)
        }
    }

    /// The marked spans that begin before an instant, in order.
    static func all(before instant: Timestamp, on connection: any SQLConnection) throws(SQLError) -> [StaleSpan] {
        try connection.all(UsageStatements.stale, [.instant(instant)]) { (row) throws(SQLError) in
            guard let span = UsageSpan(rawValue: row.integer(at: 0)) else {
                throw SQLError(.corrupt, detail: "usage_stale holds an unknown span")
            }
            return StaleSpan(
                span: span, start: try row.instant(at: 1), ticket: row.integer(at: 2),
                hasMinutes: row.integer(at: 3) == 1)
        }
    }

    /// Before requests up to `last` are removed: nothing is summed up of what is not there any more.
    static func requestsRemoved(through last: Timestamp, on connection: any SQLConnection) throws(SQLError) {
        try UsageHorizon.lock(on: connection)
        let hour = UsageSpan.hour.start(of: last)
        let day = UsageSpan.day.start(of: last)
        try connection.run(UsageStatements.removeBefore, [.instant(hour)])
        try connection.run(
            UsageStatements.remove,
            [.integer(UsageSpan.day.rawValue), .instant(day), .instant(UsageSpan.day.end(of: day))])
        try connection.run(UsageStatements.unmarkBefore, [.instant(hour)])
        try mark(.hour, hour, keepsMinutes: false, on: connection)
        try mark(.day, day, on: connection)
    }

    /// Forgets all sums: they begin anew.
    static func forgetSums(on connection: any SQLConnection) throws(SQLError) {
        try UsageHorizon.lock(on: connection)
        for statement in UsageStatements.forget { try connection.run(statement) }
    }
}

extension LedgerBatch {
    /// Milliseconds. Longer after its arrival a request may come into a minute that is summed up already.
    static let latest: Int64 = 30_000

    /// Before when, in milliseconds, a request comes to a time that is, or may be, summed up already. All of a batch that is written
    /// once more do: how long ago it was made isn't known.
    private func limit(summedUntil: Int64) -> Int64 {
        isRetry ? .max : max(now.milliseconds - Self.latest, summedUntil)
    }

    /// Whether one of its requests comes to such a time.
    /// - Parameter summedUntil: milliseconds.
    func isLate(summedUntil: Int64) -> Bool {
        let limit = limit(summedUntil: summedUntil)
        return admissions.contains { $0.requestID.instant.milliseconds < limit }
    }

    /// The minutes of those requests, in order.
    func lateMinutes(summedUntil: Int64) -> [Timestamp] {
        let limit = limit(summedUntil: summedUntil)
        let late = admissions.map(\.requestID.instant).filter { $0.milliseconds < limit }
        return Set(late.map { UsageSpan.minute.start(of: $0) }).sorted()
    }
}
