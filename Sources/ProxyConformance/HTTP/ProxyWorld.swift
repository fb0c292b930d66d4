public import ProxyStorage

/// A way to run the proxy, on one engine.
public protocol ProxyBackend: Sendable {
    /// Stable name for reports, for instance `sqlite-memory`.
    var name: String { get }
    var capabilities: WorldCapabilities { get }

    /// Starts a proxy with a fresh storage on a free port, with an upstream double of its own, lends both to `body`,
    /// and ends them whatever happens.
    func withWorld(
        settings: [String: String], _ body: @Sendable (any ProxyWorld) async throws -> Void
    ) async throws
}

/// A running proxy, seen from outside.
public protocol ProxyAccess: Sendable {
    /// Opens the management API.
    var managementToken: String { get }
    /// What the proxy forwards to.
    var upstream: any UpstreamDouble { get }

    /// Connects to the proxy.
    func connect() async throws -> any RawConnection

    /// Issues a token for a new client of the proxy.
    /// - Throws: ``NotOffered`` when there is no such token here.
    func issue(_ order: TokenOrder) async throws -> IssuedToken
    /// Whether the proxy has our management API.
    var hasManagement: Bool { get }
    /// Added to names that must be nobody else's; empty where there is nobody else.
    var nameSuffix: String { get }
}

/// The proxy under test has no such thing.
public struct NotOffered: Error, Sendable {
    public let what: String

    public init(_ what: String) { self.what = what }
}

/// What a token is to be like.
public struct TokenOrder: Sendable {
    /// Requests that it admits in all; 0 for no bound.
    public let cap: Int
    /// Members of the JSON object `limits`, as our management API has them; `nil` for none.
    public let limits: String?
    /// The identifier of its project, which was made before; `nil` for one of its own.
    public let project: String?
    /// The name of a project of its own.
    public let name: String

    package init(cap: Int = 0, limits: String? = nil, project: String? = nil, name: String) {
        self.cap = cap
        self.limits = limits
        self.project = project
        self.name = name
    }
}

/// A token that was issued.
public struct IssuedToken: Sendable {
    public let secret: String
    /// As our management API has them; other proxies' are `nil`.
    public let tokenID: String?
    public let projectID: String?

    public init(secret: String, tokenID: String? = nil, projectID: String? = nil) {
        self.secret = secret
        self.tokenID = tokenID
        self.projectID = projectID
    }
}

/// A running proxy, and what stands behind it.
public protocol ProxyWorld: ProxyAccess {
    /// What the proxy keeps. Another one after ``restart()``.
    var storage: any Storage { get }
    /// Everything logged so far.
    var log: String { get }

    /// Stops the proxy in good order and starts it again on the same data.
    func restart() async throws
}

/// What a world offers besides a running proxy.
public struct WorldCapabilities: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What was kept is there after a restart.
    public static let durable = Self(rawValue: 1 << 0)
    /// Nobody else has made anything in it.
    public static let ownData = Self(rawValue: 1 << 1)
    /// What clients send reaches it byte by byte, and is HTTP/1.1 unless they say otherwise.
    public static let rawBytes = Self(rawValue: 1 << 2)
    /// What the upstream sends reaches the proxy byte by byte, and is HTTP/1.1.
    public static let rawUpstream = Self(rawValue: 1 << 3)
}

extension WorldCapabilities: CustomStringConvertible {
    public var description: String {
        [
            (Self.durable, "durable"), (.ownData, "data of its own"), (.rawBytes, "raw bytes"),
            (.rawUpstream, "an upstream of HTTP/1.1"),
        ]
        .filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

/// Bytes to and from the proxy, with nothing in between.
public protocol RawConnection: Sendable {
    /// Sends all of `bytes`; waits while the other side takes none.
    /// - Throws: ``ConnectionFailure/reset`` when the other side has gone.
    func send(_ bytes: [UInt8]) async throws

    /// Gives what has come, at least one byte, or nothing at the end of the stream.
    /// - Throws: ``ConnectionFailure``.
    func receive(atMost count: Int, within time: Duration) async throws -> [UInt8]

    /// Says that no more will be sent; answers are still received.
    func finishSending() async

    /// Closes in good order.
    func close() async

    /// Closes with a reset, as a process that is killed does.
    func reset() async
}

/// Why bytes did not come or go.
public enum ConnectionFailure: Error, Hashable, Sendable {
    /// Nothing came in time.
    case timedOut
    /// The other side reset the connection.
    case reset
    /// No connection could be made.
    case refused
    /// The stream ended where an answer should have begun.
    case noAnswer
    /// What came is not HTTP.
    case notHTTP(String)
}
