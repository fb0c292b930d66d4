/// All the proxy keeps. A driver and its dialect stand behind it; callers can't tell which.
public protocol Storage: ProjectStore, UpstreamStore, TokenStore, LedgerStore, RequestStore, InstanceStore,
    CachedResponseStore, CopyStore, AuditStore, RememberedAnswerStore, ManagementTokenStore, AdminSessionStore,
    UsageStore, ListingStore
{
    /// Which engine, as a label: `sqlite` or `postgres`.
    var driver: String { get }

    /// Whether several servers may serve from this database at once.
    var isShared: Bool { get }

    /// Asks the database for a trivial answer.
    /// - Throws: why it can't be reached.
    func probe() async throws(StorageError)

    /// Checks every invariant against all rows, in one snapshot. Slow on a large database; harmless to a serving one.
    func verify() async throws(StorageError) -> [InvariantFinding]

    /// How many requests tokens' counters differ by from their rows, over all tokens: 0 unless something is wrong. Walks over
    /// all rows, in steps between which others are served; once more, in one snapshot, when they seem to differ.
    func drift() async throws(StorageError) -> Int64

    /// Sets counters right that differ from what the rows say, each under its lock, also beside a server that counts on.
    ///
    /// Where it is recorded, the event is in the transaction of the first change, and its metadata has how many `counters` were
    /// wrong, of how many `tokens` and `projects`.
    /// - Parameter isDryRun: whether to tell only, and change nothing.
    /// - Returns: what was wrong, in the order of owners and counters.
    func repair(isDryRun: Bool) async throws(StorageError) -> [CounterRepair]

    /// Figures for the metrics page: sizes, pool, timings. Never throws: a figure that can't be had is left out.
    func figures() async -> [DatabaseFigure]

    /// Gives back files and connections after the calls under way have ended. Later calls throw `.unavailable`.
    func close() async
}

/// What checking one invariant found.
public struct InvariantFinding: Hashable, Sendable {
    /// Stable name, for instance `token-count-equals-rows`.
    public let invariant: String
    /// How many things were checked.
    public let checked: Int64
    /// How many of them break it. 0 when the invariant holds.
    public let violations: Int64
    /// The first few that break it, by identifier.
    public let examples: [String]

    public var holds: Bool { violations == 0 }

    public init(invariant: String, checked: Int64, violations: Int64, examples: [String] = []) {
        self.invariant = invariant
        self.checked = checked
        self.violations = violations
        self.examples = examples
    }
}

/// A counter that says something else than the rows.
public struct CounterRepair: Hashable, Sendable {
    /// `token` or `project`.
    public let owner: String
    public let id: String
    /// Its column, for instance `request_count`.
    public let counter: String
    /// What it said.
    public let found: Int64
    /// What the rows say.
    public let counted: Int64

    public init(owner: String, id: String, counter: String, found: Int64, counted: Int64) {
        self.owner = owner
        self.id = id
        self.counter = counter
        self.found = found
        self.counted = counted
    }
}

/// One figure of the database for the metrics page.
public struct DatabaseFigure: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case gauge
        case counter
        /// Cumulative counts at each upper bound, as Prometheus wants them, with the sum of all observations.
        case histogram(buckets: [HistogramBucket], sum: Double)
    }

    /// One bucket: how many observations were at most `upperBound`.
    public struct HistogramBucket: Hashable, Sendable {
        public let upperBound: Double
        public let count: Int64

        public init(upperBound: Double, count: Int64) {
            self.upperBound = upperBound
            self.count = count
        }
    }

    /// Metric name without the product's prefix, with its unit, for instance `database_wal_size_bytes`.
    public let name: String
    public let help: String
    public let kind: Kind
    /// The value; for a histogram, the number of observations.
    public let value: Double
    public let labels: [String: String]

    public init(name: String, help: String, kind: Kind, value: Double, labels: [String: String] = [:]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.value = value
        self.labels = labels
    }
}

/// What an engine can promise. A scenario names what it needs; a backend names what it has.
public struct StorageCapabilities: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// What was written is there after every handle was closed and a new one opened.
    public static let durable = Self(rawValue: 1 << 0)
    /// Several server processes may serve from the same data at once.
    public static let manyInstances = Self(rawValue: 1 << 1)
    /// The data can be changed from outside, behind the storage's back.
    public static let tampering = Self(rawValue: 1 << 2)
    /// The engine is at the other end of a connection that can break.
    public static let wire = Self(rawValue: 1 << 3)
}

extension StorageCapabilities: CustomStringConvertible {
    public var description: String {
        let names: [(Self, String)] = [
            (.durable, "durable"), (.manyInstances, "many-instances"), (.tampering, "tampering"), (.wire, "wire"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: " ")
    }
}
