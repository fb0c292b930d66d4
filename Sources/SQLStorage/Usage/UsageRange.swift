import ProxyDomain
import SQLDatabase

/// A range of time, and whose requests of it are meant.
struct UsageRange {
    let start: Timestamp
    let end: Timestamp
    var project: ProjectID?
    var token: TokenID?
    var model: String?

    init(_ start: Timestamp, _ end: Timestamp) {
        self.start = start
        self.end = end
    }

    /// Of ``UsageStatements/rows``.
    var rowValues: [SQLValue] { [.text(start.firstRequestKey), .text(end.firstRequestKey)] + filter }
    /// Of ``UsageStatements/kept``. A day of which no rows are left belongs to the range that its beginning is in.
    var keptValues: [SQLValue] {
        let days = [start, end].map { String(UsageSpan.day.start(notBefore: $0).text.prefix(10)) }
        return [.text(days[0]), .text(days[1])] + filter
    }

    /// Of ``UsageStatements/sums``.
    func sumValues(_ span: UsageSpan) -> [SQLValue] {
        [.instant(start), .instant(end)] + filter + [.integer(span.rawValue)]
    }

    private var filter: [SQLValue] { [.optional(project?.text), .optional(token?.text), .optional(model)] }
}

/// Where the figures of a range come from.
enum UsageOrigin: Equatable {
    case sums(UsageSpan)
    case rows
}

/// Which sums and which rows make up a range: each request once.
struct UsagePlan {
    struct Piece: Equatable {
        let source: UsageOrigin
        let start: Timestamp
        var end: Timestamp
    }

    private(set) var pieces: [Piece] = []
    private let horizon: Timestamp
    private var hours: [Timestamp: Bool] = [:]
    private var minutes: Set<Timestamp> = []
    private var days: Set<Timestamp> = []

    /// - Parameters:
    ///   - start: a whole hour, as is `end`.
    ///   - tellsHours: whether days are not enough.
    init(from start: Timestamp, to end: Timestamp, tellsHours: Bool, horizon: Timestamp, stale: [StaleSpan]) {
        self.horizon = horizon
        for span in stale {
            switch span.span {
            case .minute: minutes.insert(span.start)
            case .hour:
                hours[span.start] = span.hasMinutes
                days.insert(UsageSpan.day.start(of: span.start))
            case .day: days.insert(span.start)
            }
        }
        var cursor = start
        while cursor < min(end, horizon) {
            let day = UsageSpan.day.end(of: cursor)
            if !tellsHours, UsageSpan.day.start(of: cursor) == cursor, day <= min(end, horizon), !days.contains(cursor)
            {
                add(.sums(.day), cursor, day)
                cursor = day
            } else {
                addHour(cursor)
                cursor = UsageSpan.hour.end(of: cursor)
            }
        }
        if cursor < end { add(.rows, cursor, end) }
    }

    private mutating func addHour(_ hour: Timestamp) {
        let end = UsageSpan.hour.end(of: hour)
        let summed = min(end, horizon)
        switch hours[hour] {
        case nil where end <= horizon: add(.sums(.hour), hour, end)
        // Nothing came before the horizon.
        case nil: break
        case true?: for minute in Self.minutes(from: hour, to: summed) { addMinute(minute) }
        case false?: add(.rows, hour, summed)
        }
        if summed < end { add(.rows, summed, end) }
    }

    private mutating func addMinute(_ minute: Timestamp) {
        add(minutes.contains(minute) ? .rows : .sums(.minute), minute, UsageSpan.minute.end(of: minute))
    }

    private static func minutes(from start: Timestamp, to end: Timestamp) -> [Timestamp] {
        stride(from: start.milliseconds, to: end.milliseconds, by: Int(UsageSpan.minute.length)).map {
            Timestamp(milliseconds: $0)
        }
    }

    private mutating func add(_ source: UsageOrigin, _ start: Timestamp, _ end: Timestamp) {
        guard start < end else { return }
        if let last = pieces.indices.last, pieces[last].source == source, pieces[last].end == start {
            pieces[last].end = end
        } else {
            pieces.append(Piece(source: source, start: start, end: end))
        }
    }
}
