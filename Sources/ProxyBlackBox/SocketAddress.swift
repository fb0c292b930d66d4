import Glibc

/// Where to connect to.
struct SocketAddress: Sendable {
    private let bytes: [UInt8]
    let family: Int32

    /// Looks a name up: all of its addresses, those first that the system prefers. Blocks.
    static func all(host: String, port: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else { return [] }
        defer { freeaddrinfo(found) }
        return sequence(first: found, next: { $0?.pointee.ai_next }).compactMap { $0?.pointee }.compactMap { each in
            each.ai_addr.map {
                SocketAddress(
                    bytes: Array(UnsafeRawBufferPointer(start: $0, count: Int(each.ai_addrlen))), family: each.ai_family
                )
            }
        }
    }

    /// Lends it to a call of the socket API.
    func lend<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
        bytes.withUnsafeBytes { raw in
            raw.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) }
        }
    }
}
