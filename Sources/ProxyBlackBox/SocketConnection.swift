import Glibc
import ProxyConformance

/// A TCP connection: plain sockets, so that nothing mends or buffers what a scenario sends.
package final class SocketConnection: RawConnection {
    private let descriptor: Int32
    /// Whether what it goes on over can end in one direction alone. TLS can't, before version 1.3 (RFC 5246 section 7.2.1), and few servers
    /// take it for more since.
    private let canHalfClose: Bool

    private init(descriptor: Int32, canHalfClose: Bool) {
        self.descriptor = descriptor
        self.canHalfClose = canHalfClose
    }

    // Not before: a call that still uses the number would reach whoever has it next.
    deinit { Glibc.close(descriptor) }

    /// Connects to a port of 127.0.0.1.
    package static func connect(port: Int) async throws -> SocketConnection {
        try await connect(to: SocketAddress.all(host: "127.0.0.1", port: port))
    }

    /// Connects to the first of some addresses that accepts.
    static func connect(to addresses: [SocketAddress], canHalfClose: Bool = true) async throws -> SocketConnection {
        try await BlockingThreads.shared.run {
            for address in addresses {
                let descriptor = Socket.make(address.family)
                guard address.lend({ Glibc.connect(descriptor, $0, $1) }) == 0 else {
                    Glibc.close(descriptor)
                    continue
                }
                Socket.setNoDelay(descriptor)
                return SocketConnection(descriptor: descriptor, canHalfClose: canHalfClose)
            }
            throw ConnectionFailure.refused
        }
    }

    package func send(_ bytes: [UInt8]) async throws {
        try await BlockingThreads.shared.run { [self] in
            guard Socket.sendAll(bytes, to: descriptor) else { throw ConnectionFailure.reset }
        }
    }

    package func receive(atMost count: Int, within time: Duration) async throws -> [UInt8] {
        try await BlockingThreads.shared.run { [self] in
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
            var ready = Glibc.poll(&poll, 1, Int32(clamping: milliseconds))
            // A signal, such as a child's end, is not the end of the wait.
            while ready < 0, errno == EINTR { ready = Glibc.poll(&poll, 1, Int32(clamping: milliseconds)) }
            guard ready > 0 else { throw ConnectionFailure.timedOut }
            var bytes = [UInt8](repeating: 0, count: count)
            var received = recv(descriptor, &bytes, count, 0)
            while received < 0, errno == EINTR { received = recv(descriptor, &bytes, count, 0) }
            guard received >= 0 else { throw ConnectionFailure.reset }
            return Array(bytes[..<received])
        }
    }

    package func finishSending() async throws {
        guard canHalfClose else { throw NotOffered("ends of one direction alone") }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    package func close() async { shutdown(descriptor, Int32(SHUT_RDWR)) }

    package func reset() async { Socket.abort(descriptor) }
}
