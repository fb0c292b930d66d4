import Glibc

/// A free port on 127.0.0.1, kept from everybody but the server until the last reference goes.
///
/// The socket is bound and never listens. With SO_REUSEADDR on both, Linux lets the server, which sets it, bind and
/// listen beside it; no other process is given the port meanwhile, also not while the server is stopped.
package final class PortReservation: Sendable {
    package let number: Int
    package let descriptor: Int32

    package init() throws(FixtureError) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard let number = Self.bindToFreePort(descriptor) else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw FixtureError("no free port on 127.0.0.1: \(reason)")
        }
        self.number = number
    }

    deinit { close(descriptor) }

    private static func bindToFreePort(_ descriptor: Int32) -> Int? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general -> Int? in
                guard bind(descriptor, general, size) == 0, getsockname(descriptor, general, &size) == 0 else {
                    return nil
                }
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
    }
}
