import Glibc
import ProxyConformance

/// A TCP connection: plain sockets, so that nothing mends or buffers what a scenario sends.
package final class SocketConnection: RawConnection {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    // Not before: a call that still uses the number would reach whoever has it next.
    deinit { Glibc.close(descriptor) }

    /// Connects to a port of 127.0.0.1.
    package static func connect(port: Int) async throws -> SocketConnection {
        try await connect(to: SocketAddress.all(host: "127.0.0.1", port: port))
    }

    /// Connects to the first of some addresses that accepts.
    static func connect(to addresses: [SocketAddress]) async throws -> SocketConnection {
        try await BlockingThreads.shared.run {
            for address in addresses {
                let descriptor = Socket.make(address.family)
                guard address.lend({ Glibc.connect(descriptor, $0, $1) }) == 0 else {
                    Glibc.close(descriptor)
                    continue
                }
                Socket.setNoDelay(descriptor)
                return SocketConnection(descriptor: descriptor)
            }
            throw ConnectionFailure.refused
        }
    }

    package func send(_ bytes: [UInt8]) async throws {
        try await BlockingThreads.shared.run { [self] in
            guard Socket.sendAll(bytes, to: descriptor) else {
                throw errno == EAGAIN ? ConnectionFailure.timedOut : ConnectionFailure.reset
            }
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

    package func finishSending() async { shutdown(descriptor, Int32(SHUT_WR)) }

    package func close() async { shutdown(descriptor, Int32(SHUT_RDWR)) }

    package func reset() async { Socket.abort(descriptor) }
}
