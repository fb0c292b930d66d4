import Glibc

/// The few calls of the socket API that the doubles need.
enum Socket {
    static let loopback = "127.0.0.1"
    private static let noSignal = Int32(MSG_NOSIGNAL)

    /// Whoever reads nothing for a minute counts as gone: nobody waits for ever to connect or to send (socket(7), `SO_SNDTIMEO`).
    static func make(_ family: Int32 = AF_INET) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    /// - Parameter address: IPv4, such as `127.0.0.1`; what is none counts as that.
    static func withAddress<Result>(
        _ address: String = loopback, port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = in_port_t(port).bigEndian
        if inet_pton(AF_INET, address, &socketAddress.sin_addr) != 1 {
            socketAddress.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        }
        return withUnsafePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// A listening socket on a port of an address of this machine; 0 for one that is free.
    static func listen(on address: String = loopback, port: Int = 0) -> (descriptor: Int32, port: Int)? {
        guard let bound = bound(to: address, port: port) else { return nil }
        guard Glibc.listen(bound.descriptor, 512) == 0 else {
            Glibc.close(bound.descriptor)
            return nil
        }
        return bound
    }

    /// A socket with a port of an address of this machine, that neither listens nor is connected; 0 for one that is free.
    static func bound(to address: String = loopback, port: Int = 0) -> (descriptor: Int32, port: Int)? {
        let descriptor = make()
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        guard withAddress(address, port: port, { bind(descriptor, $0, $1) }) == 0 else {
            Glibc.close(descriptor)
            return nil
        }
        return (descriptor, self.port { getsockname(descriptor, $0, $1) })
    }

    /// The port at the other end; 0 when it has gone.
    static func peerPort(of descriptor: Int32) -> Int { port { getpeername(descriptor, $0, $1) } }

    private static func port(
        _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let answer = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask($0, &length) }
        }
        return answer == 0 ? Int(in_port_t(bigEndian: address.sin_port)) : 0
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
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, noSignal)
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
