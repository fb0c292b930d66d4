public import ProxyDomain

/// Lists what people look for: by words, filters and orders of their choice.
public protocol ListingStore: Sendable {
    /// - Parameters:
    ///   - cursor: the last project already seen; `nil` to begin.
    ///   - limit: most to give, 1…1000.
    func projects(
        _ listing: ProjectListing, after cursor: ListCursor<ProjectID>?, limit: Int
    ) async throws(StorageError) -> [Project]

    /// - Parameters:
    ///   - cursor: the last token already seen; `nil` to begin.
    ///   - limit: most to give, 1…1000.
    func tokens(
        _ listing: TokenListing, after cursor: ListCursor<TokenID>?, limit: Int
    ) async throws(StorageError) -> [Token]

    /// Looks through a bounded part of the requests, and may find fewer than `limit` though there are more.
    /// - Parameters:
    ///   - cursor: where the page before said that this one begins; `nil` to begin.
    ///   - limit: most to give, 1…1000.
    func requests(
        _ listing: RequestListing, after cursor: RequestID?, limit: Int
    ) async throws(StorageError) -> RequestPage

    /// What the database was through: its migrations, and the copies into it.
    func history() async throws(StorageError) -> DatabaseHistory
}

/// The last of a list that was seen: with what it was sorted by then, since that may change while somebody pages.
public struct ListCursor<ID: TypedIdentifier>: Hashable, Sendable {
    public let id: ID
    public let value: String

    public init(id: ID, value: String) {
        self.id = id
        self.value = value
    }
}

/// Which projects to list, and in which order.
public struct ProjectListing: Hashable, Sendable {
    public enum Order: String, Hashable, Sendable, CaseIterable {
        case createdAt = "created_at"
        case name
    }

    /// A part of the name, in any case of ASCII letters.
    public var search: String?
    public var isActive: Bool?
    public var order = Order.createdAt
    public var isDescending = false

    public init() {}

    /// Where a list goes on after `project`.
    public func cursor(after project: Project) -> ListCursor<ProjectID> {
        ListCursor(id: project.id, value: order == .name ? project.name : project.id.text)
    }
}

/// Which tokens to list, and in which order.
public struct TokenListing: Hashable, Sendable {
    public enum Order: String, Hashable, Sendable, CaseIterable {
        case createdAt = "created_at"
        case name
        case requestCount = "request_count"
        case cost
        case lastUsedAt = "last_used_at"
    }

    public var filter: TokenFilter
    /// A part of the name or of the hint, in any case of ASCII letters.
    public var search: String?
    public var order = Order.createdAt
    public var isDescending = false

    public init(_ filter: TokenFilter) { self.filter = filter }

    /// Where a list goes on after `token`.
    public func cursor(after token: Token) -> ListCursor<TokenID> {
        let value =
            switch order {
            case .createdAt: token.id.text
            case .name: token.name
            case .requestCount: "\(token.requestCount)"
            case .cost: "\(token.cost.amount)"
            case .lastUsedAt: token.lastUsedAt?.text ?? ""
            }
        return ListCursor(id: token.id, value: value)
    }
}

/// Which requests to list, and in which order.
public struct RequestListing: Hashable, Sendable {
    public var project: ProjectID?
    public var token: TokenID?
    public var model: String?
    public var statuses: ClosedRange<Int>?
    public var outcome: RequestOutcome?
    /// From when on they came, and before when.
    public var since: Timestamp?
    public var until: Timestamp?
    public var isDescending = false

    public init() {}
}

/// A part of a list of requests.
public struct RequestPage: Hashable, Sendable {
    public let records: [RequestRecord]
    /// What the next page comes after; `nil` when there is none.
    public let next: RequestID?

    public init(records: [RequestRecord], next: RequestID?) {
        self.records = records
        self.next = next
    }
}

/// What a database was through.
public struct DatabaseHistory: Hashable, Sendable {
    public struct Migration: Hashable, Sendable {
        public let version: Int64
        public let name: String
        public let appliedAt: String

        public init(version: Int64, name: String, appliedAt: String) {
            self.version = version
            self.name = name
            self.appliedAt = appliedAt
        }
    }

    public struct Copy: Hashable, Sendable {
        /// Without its password.
        public let source: String
        public let beganAt: Timestamp
        /// `nil` while it has not ended.
        public let endedAt: Timestamp?

        public init(source: String, beganAt: Timestamp, endedAt: Timestamp?) {
            self.source = source
            self.beganAt = beganAt
            self.endedAt = endedAt
        }
    }

    public let migrations: [Migration]
    public let copies: [Copy]

    public init(migrations: [Migration], copies: [Copy]) {
        self.migrations = migrations
        self.copies = copies
    }
}
