import NIOCore
import NIOHTTP1
import NIOPosix

/// A deterministic OpenAI-style upstream: the same request gets the same answer, at no cost and without a key.
///
/// Requests script it with `X-Sim-*` fields (``SimulatorScript/directives``), tests also with
/// ``script(_:path:times:)``. It keeps what it really received. Requests are read by NIO's parser on purpose: an
/// independent reader of what a proxy sends.
public final class Simulator: Sendable {
    /// The port that is bound, on the host that was asked for.
    public let port: Int
    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let register: Register

    private init(port: Int, listener: any Channel, group: MultiThreadedEventLoopGroup, register: Register) {
        self.port = port
        self.listener = listener
        self.group = group
        self.register = register
    }

    /// Binds and serves.
    /// - Parameters:
    ///   - port: 0 lets the system choose.
    ///   - loops: event loops, from 1.
    ///   - recording: which requests are kept for ``received``.
    ///   - script: how requests are answered that ask for nothing.
    /// - Throws: the system's reason why the address can't be bound.
    public static func start(
        host: String = "127.0.0.1", port: Int = 0, loops: Int = 1, recording: SimulatorRecording = .last(1000),
        script: SimulatorScript = SimulatorScript()
    ) async throws -> Simulator {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let register = Register(recording: recording, usual: script)
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 4096)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let decoder = ByteToMessageHandler(
                            HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop))
                        try channel.pipeline.syncOperations.addHandler(decoder)
                        try channel.pipeline.syncOperations.addHandler(SimulatorConnection(register: register))
                    }
                }
                .bind(host: host, port: port).get()
            return Simulator(
                port: listener.localAddress?.port ?? port, listener: listener, group: group, register: register)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// What was received, oldest first, as far as it is kept.
    public var received: [ObservedRequest] { register.observed }

    /// What was done so far.
    public var truth: SimulatorTruth { register.truth }

    /// Answers the next `times` requests for `path`, or for any path, by `script`.
    public func script(_ script: SimulatorScript, path: String? = nil, times: Int = 1) {
        register.add(script, path: path, times: times)
    }

    /// Forgets requests, scripts and counts; connections stay.
    public func clear() { register.clear() }

    /// Closes the listener and every connection.
    public func stop() async throws {
        try? await listener.close()
        for channel in register.channels { channel.close(promise: nil) }
        try await group.shutdownGracefully()
    }
}
