import Foundation
public import ProxyFixtures
import Glibc
import Synchronization

/// Passes TCP connections on to a server, and cuts them where it is told to: for showing what a lost answer does.
///
/// Listens on 127.0.0.1, one thread for each direction of each connection. Safe to use from any thread.
public final class CuttingRelay: Sendable {
    /// Who speaks.
    public enum Speaker: Sendable { case client, server }

    private struct Plan {
        let speaker: Speaker
        var bytesLeft: Int
    }

    /// Where clients connect to: the server's URL by way of this relay.
    public let url: String
    private let listener: Int32
    private let host: String
    private let serverPort: Int
    private let plan = Mutex<Plan?>(nil)
    private let isFrozen = Atomic<Bool>(false)
    private let open = Mutex<[ObjectIdentifier: SocketPair]>([:])

    /// - Parameter url: how a client reaches the server: one host with a TCP port.
    /// - Throws: when the URL names none, or no port of 127.0.0.1 is free.
    public init(to url: String) throws(FixtureError) {
        guard let server = PostgresURL(url) else { throw FixtureError("not the URL of a PostgreSQL server") }
        let reservation = try PortReservation()
        (host, serverPort) = try server.endpoint()
        self.url = server.throughRelay(port: reservation.number).naming(server.database)
        listener = dup(reservation.descriptor)
        guard listen(listener, 128) == 0 else {
            throw FixtureError("can't listen: \(String(cString: strerror(errno)))")
        }
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// Cuts the connection on which `speaker` sends next, once that many bytes of it have been passed on; the bytes after
    /// them are lost. Holds for one cut: later connections pass.
    public func cut(afterPassing count: Int, from speaker: Speaker) {
        plan.withLock { $0 = Plan(speaker: speaker, bytesLeft: count) }
    }

    /// Passes everything again.
    /// - Returns: whether the cut that was asked for has been made.
    @discardableResult
    public func heal() -> Bool {
        plan.withLock { plan in
            defer { plan = nil }
            return plan == nil
        }
    }

    /// Keeps all that comes from now on, on connections old and new, until ``thaw()``: neither passed on nor refused.
    public func freeze() { isFrozen.store(true, ordering: .sequentiallyConsistent) }
    public func thaw() { isFrozen.store(false, ordering: .sequentiallyConsistent) }

    /// Ends all connections, and takes no more.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        for pair in open.withLock({ Array($0.values) }) { pair.cut() }
        // What is held back finds its connection cut, and its thread ends.
        thaw()
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            guard let server = connect() else {
                close(client)
                continue
            }
            let pair = SocketPair(client: client, server: server)
            open.withLock { $0[ObjectIdentifier(pair)] = pair }
            for speaker in [Speaker.client, .server] {
                Thread.detachNewThread { [self] in
                    pass(from: speaker, of: pair)
                    pair.cut()
                    if pair.release() { open.withLock { $0[ObjectIdentifier(pair)] = nil } }
                }
            }
        }
    }

    private func connect() -> Int32? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(serverPort), &hints, &found) == 0, let address = found else { return nil }
        defer { freeaddrinfo(found) }
        let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
        guard Glibc.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private func pass(from speaker: Speaker, of pair: SocketPair) {
        let (source, sink) = speaker == .client ? (pair.client, pair.server) : (pair.server, pair.client)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            while isFrozen.load(ordering: .sequentiallyConsistent) { usleep(2000) }
            let (passed, isCut) = allowance(of: count, from: speaker)
            var sent = 0
            while sent < passed {
                let written = buffer.withUnsafeBytes { bytes in
                    send(sink, bytes.baseAddress.map { $0 + sent }, passed - sent, Int32(MSG_NOSIGNAL))
                }
                guard written > 0 else { return }
                sent += written
            }
            if isCut { return }
        }
    }

    /// How many of `count` bytes are passed on, and whether the connection is cut behind them.
    private func allowance(of count: Int, from speaker: Speaker) -> (Int, Bool) {
        plan.withLock { current in
            guard var planned = current, planned.speaker == speaker else { return (count, false) }
            guard planned.bytesLeft < count else {
                planned.bytesLeft -= count
                current = planned
                return (count, false)
            }
            current = nil
            return (planned.bytesLeft, true)
        }
    }
}

/// Both ends of one connection; closed when both directions are done with it.
private final class SocketPair: Sendable {
    let client: Int32
    let server: Int32
    private let users = Atomic<Int>(2)

    init(client: Int32, server: Int32) {
        self.client = client
        self.server = server
        var yes: Int32 = 1
        for descriptor in [client, server] {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Ends both directions; what waits on them wakes.
    func cut() {
        shutdown(client, Int32(SHUT_RDWR))
        shutdown(server, Int32(SHUT_RDWR))
    }

    /// - Returns: whether it was the last user.
    func release() -> Bool {
        guard users.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return false }
        close(client)
        close(server)
        return true
    }
}
