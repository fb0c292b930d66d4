import Glibc

/// A port whose queue of new connections is full, so that whoever connects is neither answered nor refused.
final class FullListener: Sendable {
    let port: Int
    private let descriptors: [Int32]

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        func named(_ body: (UnsafeMutablePointer<sockaddr>) -> Int32) -> Bool {
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) == 0 }
            }
        }
        // A queue of none has room for one (listen(2), and the kernel's tcp_v4_conn_request).
        guard named({ bind(listener, $0, length) }), listen(listener, 0) == 0,
            named({ getsockname(listener, $0, &length) })
        else {
            close(listener)
            throw TestFailure("no listener: error \(errno)")
        }
        port = Int(in_port_t(bigEndian: address.sin_port))
        let clients = (0..<2).map { _ in
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        }
        for client in clients { _ = named { connect(client, $0, length) } }
        descriptors = clients + [listener]
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
