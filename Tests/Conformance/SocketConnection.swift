import Foundation
import Glibc
import ProxyConformance

/// A TCP connection to 127.0.0.1: plain sockets, so that nothing mends or buffers what a scenario sends.
final class SocketConnection: RawConnection {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    // Not before: a call that still uses the number would reach whoever has it next.
    deinit { Glibc.close(descriptor) }

    static func connect(port: Int) async throws -> SocketConnection {
        try await BlockingThreads.shared.run {
            let descriptor = Socket.make()
            guard Socket.withAddress(port: port, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
                Glibc.close(descriptor)
                throw ConnectionFailure.refused
            }
            Socket.setNoDelay(descriptor)
            return SocketConnection(descriptor: descriptor)
        }
    }

    func send(_ bytes: [UInt8]) async throws {
        try await BlockingThreads.shared.run { [self] in
            guard Socket.sendAll(bytes, to: descriptor) else { throw ConnectionFailure.reset }
        }
    }

    func receive(atMost count: Int, within time: Duration) async throws -> [UInt8] {
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

    func finishSending() async { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() async { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func reset() async { Socket.abort(descriptor) }
}

/// The few calls of the socket API that the doubles need.
enum Socket {
    private static let noSignal = Int32(MSG_NOSIGNAL)

    static func make() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) }

    static func withAddress<Result>(
        port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// A listening socket on a free port.
    static func listen() -> (descriptor: Int32, port: Int) {
        let descriptor = make()
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        precondition(withAddress(port: 0) { bind(descriptor, $0, $1) } == 0, "no free port")
        precondition(Glibc.listen(descriptor, 512) == 0, "can't listen")
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return (descriptor, Int(in_port_t(bigEndian: address.sin_port)))
    }

    static func setNoDelay(_ descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    /// Sends everything. Gives `false` when the other side has gone.
    static func sendAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, noSignal)
            }
            guard count > 0 else {
                if errno == EINTR { continue }
                return false
            }
            sent += count
        }
        return true
    }

    /// Resets the connection and leaves the socket open: to no address is how Linux spells it (connect(2)).
    static func abort(_ descriptor: Int32) {
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Closes with a reset.
    static func reset(_ descriptor: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
    }
}
