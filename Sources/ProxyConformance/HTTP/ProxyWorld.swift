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
}

extension WorldCapabilities: CustomStringConvertible {
    public var description: String { contains(.durable) ? "durable" : "" }
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
