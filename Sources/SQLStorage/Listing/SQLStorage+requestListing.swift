public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    /// Where something is looked for, sums tell in which hours there is any, so that no index costs every request for it.
    public func requests(
        _ listing: RequestListing, after cursor: RequestID?, limit: Int
    ) async throws(StorageError) -> RequestPage {
        try await reading(.listRequests) { connection in
            try connection.transaction(.read) { () throws(SQLError) in
                try RequestSearch(listing, after: cursor, limit: limit.clampedToPage).page(on: connection)
            }
        }
    }
}

/// One page of a list of requests.
struct RequestSearch {
    private let listing: RequestListing
    private let limit: Int
    /// Identifiers from the first on and before the second.
    private let bounds: (low: String, high: String)
    /// The first and the last hour that may hold one.
    private let span: (first: Timestamp, last: Timestamp)

    /// After it no further hour is looked through for the page.
    private static let patience = Duration.milliseconds(50)

    init(_ listing: RequestListing, after cursor: RequestID?, limit: Int) {
        self.listing = listing
        self.limit = limit
        // What is longer than an identifier sorts behind it, and before all that are larger.
        let after = cursor.map { listing.isDescending ? $0.text : $0.text + "!" }
        let low = listing.since?.firstRequestKey ?? ""
        let high = listing.until?.firstRequestKey ?? "g"
        let from = max(listing.since ?? .earliest, listing.isDescending ? .earliest : cursor?.instant ?? .earliest)
        let to = min(listing.until ?? .latest, listing.isDescending ? cursor?.instant ?? .latest : .latest)
        span = (UsageSpan.hour.start(of: from), to)
        bounds = listing.isDescending ? (low, min(high, after ?? high)) : (max(low, after ?? low), high)
    }

    func page(on connection: any SQLConnection) throws(SQLError) -> RequestPage {
        guard bounds.low < bounds.high else { return RequestPage(records: [], next: nil) }
        guard listing.looksFor else {
            let records = try read(bounds, atMost: limit + 1, on: connection)
            return whole(records)
        }
        let start = Monotonic.now()
        var records: [RequestRecord] = []
        for range in try ranges(on: connection) {
            records += try read(range, atMost: limit + 1 - records.count, on: connection)
            if records.count > limit { return whole(records) }
            if Monotonic.now() - start > Self.patience { return RequestPage(records: records, next: end(of: range)) }
        }
        return RequestPage(records: records, next: nil)
    }

    private func whole(_ records: [RequestRecord]) -> RequestPage {
        let page = Array(records.prefix(limit))
        return RequestPage(records: page, next: records.count > limit ? page.last?.admission.requestID : nil)
    }

    private func read(
        _ range: (low: String, high: String), atMost count: Int, on connection: any SQLConnection
    ) throws(SQLError) -> [RequestRecord] {
        let values: [SQLValue] = [
            .text(range.low), .text(range.high), .optional(listing.project?.text), .optional(listing.token?.text),
            .optional(listing.model), .optional(listing.statuses.map { Int64($0.lowerBound) }),
            .optional(listing.statuses.map { Int64($0.upperBound) }), .optional(listing.outcome?.rawValue),
            .integer(Int64(count)),
        ]
        return try connection.all(
            listing.isDescending ? RequestSearchStatements.descending : RequestSearchStatements.ascending, values
        ) { (row) throws(SQLError) in RequestRecord(admission: try row.request()) }
    }

    /// The hours that may hold what is looked for, in the order of the list, within the bounds.
    private func ranges(on connection: any SQLConnection) throws(SQLError) -> [(low: String, high: String)] {
        let horizon = try UsageHorizon.find(on: connection) ?? .earliest
        let class_ = listing.statuses.flatMap {
            $0.lowerBound >= 100 && $0.lowerBound / 100 == $0.upperBound / 100 ? "\($0.lowerBound / 100)xx" : nil
        }
        let (first, last) = span
        var hours = Set(
            try connection.all(
                RequestSearchStatements.hours,
                [
                    .optional(listing.project?.text), .optional(listing.token?.text), .optional(listing.model),
                    .optional(class_), .instant(first), .instant(last),
                ]
            ) { (row) throws(SQLError) in try row.instant(at: 0) })
        for stale in try StaleSpan.all(before: horizon, on: connection) where stale.span == .hour {
            hours.insert(stale.start)
        }
        var ranges = hours.sorted().filter { UsageSpan.hour.end(of: $0) <= horizon }.map {
            (low: $0.firstRequestKey, high: UsageSpan.hour.end(of: $0).firstRequestKey)
        }
        ranges.append((UsageSpan.hour.start(of: horizon).firstRequestKey, "g"))
        ranges = ranges.map { (max($0.low, bounds.low), min($0.high, bounds.high)) }.filter { $0.low < $0.high }
        return listing.isDescending ? ranges.reversed() : ranges
    }

    /// What comes after all of a range.
    private func end(of range: (low: String, high: String)) -> RequestID? {
        let key = listing.isDescending ? range.low : range.high
        let text = key.count == 13 ? key + "-0000-0000-000000000000" : String(key.prefix(36))
        guard let bound = RequestID(text) else { return nil }
        guard !listing.isDescending else { return bound }
        // The last identifier before it.
        let (high, low) = (bound.identifier.high, bound.identifier.low)
        return RequestID(low > 0 ? Identifier(high: high, low: low - 1) : Identifier(high: high &- 1, low: .max))
    }
}

extension RequestListing {
    /// Whether it is for some requests of a time, not for all.
    fileprivate var looksFor: Bool {
        project != nil || token != nil || model != nil || statuses != nil || outcome != nil
    }
}

private enum RequestSearchStatements {
    private static func list(_ direction: String) -> SQLStatement {
        SQLStatement(
            """
            SELECT \(Columns.request) FROM requests WHERE id >= $1 AND id < $2
                AND (CAST($3 AS TEXT) IS NULL OR project_id = $3) AND (CAST($4 AS TEXT) IS NULL OR token_id = $4)
                AND (CAST($5 AS TEXT) IS NULL OR \(UsageStatements.model) = $5)
                AND (CAST($6 AS BIGINT) IS NULL OR status BETWEEN $6 AND $7)
                AND (CAST($8 AS TEXT) IS NULL OR outcome = $8)
            ORDER BY id\(direction) LIMIT $9
            """)
    }

    static let ascending = list("")
    static let descending = list(" DESC")
    static let hours = SQLStatement(
        """
        SELECT DISTINCT start FROM usage_sums WHERE span = 3600
            AND (CAST($1 AS TEXT) IS NULL OR project_id = $1) AND (CAST($2 AS TEXT) IS NULL OR token_id = $2)
            AND (CAST($3 AS TEXT) IS NULL OR model = $3) AND (CAST($4 AS TEXT) IS NULL OR status = $4)
            AND start >= $5 AND start <= $6
        """)
}
