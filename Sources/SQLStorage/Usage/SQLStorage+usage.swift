public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func usage(_ query: UsageQuery) async throws(StorageError) -> UsageReport {
        try await reading(.readUsage) { connection in
            try connection.transaction(.read) { () throws(SQLError) in
                var reader = UsageReader(query)
                try reader.read(on: connection)
                return try reader.report(on: connection)
            }
        }
    }
}

/// Reads the pieces that make up a query's range, and groups them.
struct UsageReader {
    private let query: UsageQuery
    private var parts: [Timestamp: [String: UsageFigures]] = [:]
    /// Most groups that are told.
    private static let mostGroups = 100

    init(_ query: UsageQuery) { self.query = query }

    /// By group, over all of the range.
    var groups: [String: UsageFigures] {
        parts.values.reduce(into: [:]) { all, part in
            for (key, figures) in part { all[key, default: UsageFigures()].add(figures) }
        }
    }

    mutating func read(on connection: any SQLConnection) throws(SQLError) {
        try readKept(on: connection)
        let horizon = try UsageHorizon.find(on: connection) ?? .earliest
        let start = max(query.since, try Self.first(on: connection) ?? query.until)
        let stale = try StaleSpan.all(before: min(horizon, query.until), on: connection).filter { $0.end > start }
        let plan = UsagePlan(
            from: start, to: query.until, tellsHours: query.interval == .hour, horizon: horizon, stale: stale)
        for piece in plan.pieces {
            switch piece.source {
            case .sums(let span): try readSums(span, piece, on: connection)
            case .rows: try readRows(piece, on: connection)
            }
        }
    }

    /// The hour in which there is anything first.
    private static func first(on connection: any SQLConnection) throws(SQLError) -> Timestamp? {
        let sum = try connection.first(UsageStatements.firstStart) { (row) throws(SQLError) in
            try row.optionalInstant(at: 0)
        }
        let request = try connection.first(UsageStatements.firstRequest) { (row) throws(SQLError) in
            try row.id(at: 0, as: RequestID.self).instant
        }
        return [sum ?? nil, request].compactMap { $0 }.min().map { UsageSpan.hour.start(of: $0) }
    }

    private func range(_ start: Timestamp, _ end: Timestamp) -> UsageRange {
        var range = UsageRange(start, end)
        (range.project, range.token, range.model) = (query.project, query.token, query.model)
        return range
    }

    private mutating func readKept(on connection: any SQLConnection) throws(SQLError) {
        try connection.run(UsageStatements.kept, range(query.since, query.until).keptValues) { (row) throws(SQLError) in
            guard let day = Timestamp("\(row.text(at: 0))T00:00:00Z") else {
                throw SQLError(.corrupt, detail: "usage_daily holds no day")
            }
            add(row.usageCell(from: 1), try row.usageFigures(from: 5, withLatencies: false), at: day)
        }
    }

    private mutating func readSums(
        _ span: UsageSpan, _ piece: UsagePlan.Piece, on connection: any SQLConnection
    ) throws(SQLError) {
        try connection.run(UsageStatements.sums, range(piece.start, piece.end).sumValues(span)) {
            (row) throws(SQLError) in
            let figures = try row.usageFigures(from: 5, withLatencies: true)
            add(row.usageCell(from: 1), figures, at: try row.instant(at: 0))
        }
    }

    private mutating func readRows(_ piece: UsagePlan.Piece, on connection: any SQLConnection) throws(SQLError) {
        var start = piece.start
        while start < piece.end {
            // One part of the series at a time, so that no row has to tell its own.
            let end =
                query.interval == .total
                ? piece.end : min(piece.end, UsageSpan.hour.end(of: UsageSpan.hour.start(of: start)))
            var tally = UsageTally()
            try connection.run(UsageStatements.rows, range(start, end).rowValues) { (row) throws(SQLError) in
                tally.add(request: row)
            }
            for (cell, figures) in tally.cells { add(cell, figures, at: start) }
            start = end
        }
    }

    private mutating func add(_ cell: UsageCell, _ figures: UsageFigures, at instant: Timestamp) {
        let part =
            switch query.interval {
            case .total: query.since
            case .day: UsageSpan.day.start(of: instant)
            case .hour: UsageSpan.hour.start(of: instant)
            }
        let key =
            switch query.grouping {
            case .none: ""
            case .project: cell.project
            case .token: cell.token
            case .model: cell.model
            case .status: cell.status
            }
        parts[part, default: [:]][key, default: UsageFigures()].add(figures)
    }

    func report(on connection: any SQLConnection) throws(SQLError) -> UsageReport {
        let all = groups
        let sorted = all.sorted { ($1.value.requests, $0.key) < ($0.value.requests, $1.key) }
        let told = sorted.prefix(Self.mostGroups).map(\.key)
        let names = try names(of: told, on: connection)
        let group = { (key: String, figures: UsageFigures) in
            UsageReport.Group(key: key, name: names[key], figures: figures)
        }
        var totals = UsageFigures()
        for figures in all.values { totals.add(figures) }
        let series = parts.sorted { $0.key < $1.key }.map { part in
            UsageReport.Part(
                start: part.key,
                groups: told.compactMap { key in part.value[key].map { group(key, $0) } })
        }
        return UsageReport(
            totals: totals, groups: told.compactMap { key in all[key].map { group(key, $0) } }, series: series,
            isTruncated: sorted.count > told.count)
    }

    private func names(of keys: [String], on connection: any SQLConnection) throws(SQLError) -> [String: String] {
        let table: String
        switch query.grouping {
        case .project: table = "projects"
        case .token: table = "tokens"
        case .none, .model, .status: return [:]
        }
        var names: [String: String] = [:]
        let find = SQLStatement("SELECT name FROM \(table) WHERE id = $1")
        for key in keys {
            names[key] = try connection.first(find, [.text(key)]) { (row) throws(SQLError) in row.text(at: 0) }
        }
        return names
    }
}
