/// How long requests took, as counts in buckets that are 1/8 of an octave wide: a percentile is right to 9 %.
public struct LatencyCounts: Hashable, Sendable {
    private var counts: [Int: Int64] = [:]

    public init() {}

    /// Adds a request that took so many microseconds.
    public mutating func add(_ microseconds: Int64) { counts[Self.bucket(of: microseconds), default: 0] += 1 }

    public mutating func add(_ other: Self) {
        for (bucket, count) in other.counts { counts[bucket, default: 0] += count }
    }

    public var total: Int64 { counts.values.reduce(0, +) }

    /// The time in microseconds that so large a part of the requests stayed within, 0…1; `nil` without requests.
    public func percentile(_ part: Double) -> Int64? {
        let wanted = max(1, Int64((Double(total) * part).rounded(.up)))
        var seen: Int64 = 0
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            seen += count
            if seen >= wanted { return Self.middle(of: bucket) }
        }
        return nil
    }

    /// Values below 8 are their own bucket; above, the first three bits after the leading one tell which eighth of the octave.
    private static func bucket(of microseconds: Int64) -> Int {
        let value = UInt64(max(0, microseconds))
        guard value >= 8 else { return Int(value) }
        let octave = 63 - value.leadingZeroBitCount
        return octave * 8 + Int(value >> UInt64(octave - 3) & 7)
    }

    private static func middle(of bucket: Int) -> Int64 {
        guard bucket >= 24 else { return Int64(bucket) }
        let (octave, eighth) = (bucket / 8, Int64(bucket % 8))
        let width = Int64(1) << Int64(octave - 3)
        return (8 + eighth) * width + width / 2
    }
}

extension LatencyCounts {
    /// `bucket:count` for each, with one space between two.
    public var text: String { counts.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ") }

    /// Adds what a text says. Gives `false` for one that none of ours is.
    public mutating func add(text: some StringProtocol) -> Bool {
        var (number, bucket): (Int64, Int64?) = (0, nil)
        var hasDigit = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let (tens, overflows) = number.multipliedReportingOverflow(by: 10)
                guard !overflows else { return false }
                number = tens &+ Int64(byte - UInt8(ascii: "0"))
                hasDigit = true
            case UInt8(ascii: ":"):
                guard bucket == nil, hasDigit else { return false }
                (bucket, number, hasDigit) = (number, 0, false)
            case UInt8(ascii: " "):
                guard let place = bucket, hasDigit else { return false }
                counts[Int(truncatingIfNeeded: place), default: 0] += number
                (bucket, number, hasDigit) = (nil, 0, false)
            default: return false
            }
        }
        guard let place = bucket, hasDigit else { return text.isEmpty }
        counts[Int(truncatingIfNeeded: place), default: 0] += number
        return true
    }
}

/// What some requests used, together.
public struct UsageFigures: Hashable, Sendable {
    public var requests: Int64 = 0
    /// Those that were answered with an error, or not at all, and not because their client left.
    public var errors: Int64 = 0
    public var promptTokens: Int64 = 0
    public var completionTokens: Int64 = 0
    public var cost = NanoDollars(0)
    /// Answers that came from the cache.
    public var cacheHits: Int64 = 0
    /// Of those whose rows are kept; what is left of older ones has no times.
    public var latencies = LatencyCounts()

    public init() {}

    public mutating func add(_ other: Self) {
        requests += other.requests
        errors += other.errors
        promptTokens += other.promptTokens
        completionTokens += other.completionTokens
        cost = NanoDollars(cost.amount + other.cost.amount)
        cacheHits += other.cacheHits
        latencies.add(other.latencies)
    }
}

/// What is asked about what requests used.
public struct UsageQuery: Hashable, Sendable {
    /// What figures are told apart by.
    public enum Grouping: String, Hashable, Sendable, CaseIterable {
        case none
        case project
        case token
        case model
        /// How requests ended: `2xx` and its like by the status, or the outcome of one that was not answered.
        case status
    }

    /// How long each part of the series is.
    public enum Interval: String, Hashable, Sendable, CaseIterable {
        case hour
        case day
        /// All of it is one part.
        case total
    }

    public var grouping: Grouping
    public var interval: Interval
    /// Requests from then on; a whole hour.
    public var since: Timestamp
    /// Requests before then; a whole hour.
    public var until: Timestamp
    public var project: ProjectID?
    public var token: TokenID?
    public var model: String?

    public init(
        grouping: Grouping = .none, interval: Interval = .total, since: Timestamp, until: Timestamp,
        project: ProjectID? = nil, token: TokenID? = nil, model: String? = nil
    ) {
        self.grouping = grouping
        self.interval = interval
        self.since = since
        self.until = until
        self.project = project
        self.token = token
        self.model = model
    }
}

/// The answer to a ``UsageQuery``.
public struct UsageReport: Hashable, Sendable {
    public struct Group: Hashable, Sendable {
        /// An identifier, a model, a status, or nothing where nothing is told apart.
        public let key: String
        /// What a project or token is called; `nil` for others.
        public var name: String?
        public let figures: UsageFigures

        public init(key: String, name: String? = nil, figures: UsageFigures) {
            self.key = key
            self.name = name
            self.figures = figures
        }
    }

    /// One part of the series.
    public struct Part: Hashable, Sendable {
        public let start: Timestamp
        public var groups: [Group]

        public init(start: Timestamp, groups: [Group]) {
            self.start = start
            self.groups = groups
        }
    }

    public let totals: UsageFigures
    /// Over all of the time, those with most requests first.
    public let groups: [Group]
    /// In the order of time; times without requests are left out.
    public let series: [Part]
    /// Whether there are more groups than are told.
    public let isTruncated: Bool

    public init(totals: UsageFigures, groups: [Group], series: [Part], isTruncated: Bool) {
        self.totals = totals
        self.groups = groups
        self.series = series
        self.isTruncated = isTruncated
    }
}
