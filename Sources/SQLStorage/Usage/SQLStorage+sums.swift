public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    /// Hours and minutes are summed up from rows, days from hours. What is marked is read from its rows until it is summed up, and
    /// it is marked in the transaction that changes its rows: so sums and rows always are all there is, each once.
    public func sumUsage(at now: Timestamp) async throws(StorageError) -> Bool {
        let isBehind = try await writing(.sumUsage) { try UsageHorizon.move(at: now, on: $0) }
        let due = try await reading(.sumUsage) { try Self.due(on: $0) }
        var (done, tried, failure) = (0, 0, StorageError?.none)
        for span in due where done < Self.spansPerStep {
            tried += 1
            // One that can't be summed up is no reason not to sum up the others.
            do { if try await sum(span) { done += 1 } } catch { failure = error }
        }
        if done == 0, let failure { throw failure }
        return isBehind || done > 0 && tried < due.count
    }

    private static let spansPerStep = 30

    /// Those that have passed and have no open request. A day waits for its hours, and minutes of an hour that has passed are
    /// summed up with it.
    private static func due(on connection: any SQLConnection) throws(SQLError) -> [StaleSpan] {
        guard let horizon = try UsageHorizon.find(on: connection) else { return [] }
        let stale = try StaleSpan.all(before: horizon, on: connection)
        let hours = Set(stale.filter { $0.span == .hour }.map { UsageSpan.day.start(of: $0.start) })
        let oldest = try connection.first(UsageStatements.oldestOpen) { (row) throws(SQLError) in
            row.optionalText(at: 0)
        }
        let firstOpen = (oldest ?? nil).flatMap { RequestID($0)?.instant } ?? .latest
        var due: [StaleSpan] = []
        for span in stale where span.end <= horizon {
            switch span.span {
            case .day where hours.contains(span.start): continue
            case .minute where UsageSpan.hour.end(of: UsageSpan.hour.start(of: span.start)) <= horizon: continue
            case .day: due.append(span)
            case .minute, .hour:
                if span.end > firstOpen, try hasOpen(span, on: connection) { continue }
                due.append(span)
            }
        }
        return due
    }

    private static func hasOpen(_ span: StaleSpan, on connection: any SQLConnection) throws(SQLError) -> Bool {
        try connection.first(
            UsageStatements.hasOpen, [.text(span.start.firstRequestKey), .text(span.end.firstRequestKey)]
        ) { (_) throws(SQLError) in true } ?? false
    }

    /// - Returns: whether the span is summed up now; not if a request of it is open, or it was changed meanwhile.
    private func sum(_ stale: StaleSpan) async throws(StorageError) -> Bool {
        let tally: UsageTally? = try await reading(.sumUsage) { connection in
            var tally = UsageTally()
            if stale.span == .day {
                try connection.run(UsageStatements.sums, UsageRange(stale.start, stale.end).sumValues(.hour)) {
                    (row) throws(SQLError) in
                    tally.add(row.usageCell(from: 1), try row.usageFigures(from: 5, withLatencies: true))
                }
            } else {
                try connection.run(UsageStatements.rows, UsageRange(stale.start, stale.end).rowValues) {
                    (row) throws(SQLError) in tally.add(request: row)
                }
            }
            return tally.hasOpen ? nil : tally
        }
        guard let tally else { return false }
        return try await writing(.sumUsage) { try Self.put(tally, stale, on: $0) }
    }

    private static func put(
        _ tally: UsageTally, _ stale: StaleSpan, on connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        try UsageHorizon.lock(on: connection)
        let span: SQLValue = .integer(stale.span.rawValue)
        let (start, end): (SQLValue, SQLValue) = (.instant(stale.start), .instant(stale.end))
        guard try connection.run(UsageStatements.unmark, [span, start, .integer(stale.ticket)]) > 0 else {
            return false
        }
        try connection.run(UsageStatements.remove, [span, start, end])
        if stale.span == .hour {
            try connection.run(UsageStatements.remove, [.integer(UsageSpan.minute.rawValue), start, end])
            try connection.run(UsageStatements.unmarkMinutes, [start, end])
            try StaleSpan.mark(.day, UsageSpan.day.start(of: stale.start), on: connection)
        }
        for (cell, figures) in tally.cells {
            try connection.run(
                UsageStatements.add,
                [
                    span, start, .text(cell.project), .text(cell.token), .text(cell.model), .text(cell.status),
                    .integer(figures.requests), .integer(figures.errors), .integer(figures.promptTokens),
                    .integer(figures.completionTokens), .integer(figures.cost.amount), .integer(figures.cacheHits),
                    .text(figures.latencies.text),
                ])
        }
        return true
    }
}

/// Up to where requests are expected to be in the database, whatever their server's clock says.
enum UsageHorizon {
    /// Milliseconds. More than what comes late without being marked.
    private static let distance: Int64 = 2 * LedgerBatch.latest
    /// Servers' clocks that are further behind count as those of servers that are no more.
    private static let patience = Duration.seconds(-600)
    private static let hoursPerStep = 24

    static func find(on connection: any SQLConnection) throws(SQLError) -> Timestamp? {
        try connection.first(UsageStatements.horizon.plain) { (row) throws(SQLError) in try row.instant(at: 0) }
    }

    /// The same, held until the transaction ends: whoever changes sums, or what they are of, takes this first.
    @discardableResult
    static func lock(on connection: any SQLConnection) throws(SQLError) -> Timestamp? {
        let statement = connection.dialect.locksRows ? UsageStatements.horizon.locking : UsageStatements.horizon.plain
        return try connection.first(statement) { (row) throws(SQLError) in try row.instant(at: 0) }
    }

    /// For those who only mark: beside each other, and not beside who sums up.
    static func share(on connection: any SQLConnection) throws(SQLError) {
        guard connection.dialect.locksRows else { return }
        _ = try connection.first(UsageStatements.shareHorizon) { (_) throws(SQLError) in true }
    }

    /// Moves it on, and marks what comes within it.
    /// - Returns: whether there is more to move.
    static func move(at now: Timestamp, on connection: any SQLConnection) throws(SQLError) -> Bool {
        let clock = try connection.first(UsageStatements.slowestClock, [.instant(now + patience)]) {
            (row) throws(SQLError) in try row.optionalInstant(at: 0)
        }
        let instant = min(now, (clock ?? nil) ?? now)
        let goal = UsageSpan.minute.start(of: Timestamp(milliseconds: instant.milliseconds - distance))
        guard let known = try lock(on: connection) else { return try begin(before: goal, on: connection) }
        guard known < goal else { return false }
        let hour = UsageSpan.hour.start(of: known)
        let limit = Timestamp(milliseconds: hour.milliseconds + Int64(hoursPerStep) * UsageSpan.hour.length)
        let reached = min(goal, limit)
        try mark(from: known, to: reached, on: connection)
        try connection.run(UsageStatements.moveHorizon, [.instant(reached)])
        try connection.run(UsageStatements.tellHorizon, [.integer(reached.milliseconds)])
        return reached < goal
    }

    /// With the first request's hour. A database without requests has no sums: a whole history may be loaded into it.
    private static func begin(before goal: Timestamp, on connection: any SQLConnection) throws(SQLError) -> Bool {
        let first = try connection.first(UsageStatements.firstRequest) { (row) throws(SQLError) in
            try row.id(at: 0, as: RequestID.self)
        }
        guard let first else { return false }
        let start = min(UsageSpan.hour.start(of: first.instant), goal)
        try connection.run(UsageStatements.beginHorizon, [.instant(start)])
        try connection.run(UsageStatements.tellHorizon, [.integer(start.milliseconds)])
        return start < goal
    }

    private static func mark(
        from known: Timestamp, to reached: Timestamp, on connection: any SQLConnection
    ) throws(SQLError) {
        var hour = UsageSpan.hour.start(of: known)
        while hour < reached {
            let end = UsageSpan.hour.end(of: hour)
            // What has passed is summed up in one go; only an hour that was or is under way has sums of its minutes.
            let hasMinutes = end > reached || hour < known
            if try has(max(hour, known), min(end, reached), on: connection) {
                try StaleSpan.mark(.hour, hour, hasMinutes: hasMinutes, keepsMinutes: hasMinutes, on: connection)
                if hasMinutes { try markMinutes(from: max(hour, known), to: min(end, reached), on: connection) }
            }
            hour = end
        }
    }

    private static func markMinutes(
        from start: Timestamp, to reached: Timestamp, on connection: any SQLConnection
    ) throws(SQLError) {
        var minute = start
        while minute < reached {
            let end = UsageSpan.minute.end(of: minute)
            if try has(minute, end, on: connection) { try StaleSpan.mark(.minute, minute, on: connection) }
            minute = end
        }
    }

    private static func has(
        _ start: Timestamp, _ end: Timestamp, on connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        try connection.first(
            UsageStatements.hasRequest, [.text(start.firstRequestKey), .text(end.firstRequestKey)]
        ) { (_) throws(SQLError) in true } ?? false
    }
}
