import Glibc
import ProxyDomain

/// Remembers, for the paths an event loop sees most, their text and whether they are allowed. Confined to that loop.
///
/// Clients call a handful of paths over and over: comparing bytes is cheaper than making a text for each request.
struct EndpointMemory {
    struct Endpoint {
        let path: String
        let isAllowed: Bool
    }

    private struct Entry {
        let bytes: [UInt8]
        let rules: EndpointRules
        let endpoint: Endpoint
    }

    private static let bound = 16
    /// Longest path that is written to the database, in bytes.
    static let longestStoredPath = 512

    private var entries: [Entry] = []
    private var nextVictim = 0

    mutating func endpoint(_ bytes: UnsafeRawBufferPointer, under rules: EndpointRules) -> Endpoint {
        for entry in entries where entry.rules === rules && entry.bytes.count == bytes.count {
            if entry.bytes.withUnsafeBytes({ isSame($0, bytes) }) { return entry.endpoint }
        }
        let path = String(decoding: bytes, as: UTF8.self)
        let endpoint = Endpoint(
            path: bytes.count > Self.longestStoredPath ? String(path.prefix(Self.longestStoredPath)) : path,
            isAllowed: rules.allowsPath(path))
        let entry = Entry(bytes: Array(bytes), rules: rules, endpoint: endpoint)
        if entries.count < Self.bound {
            entries.append(entry)
        } else {
            entries[nextVictim] = entry
            nextVictim = (nextVictim + 1) % Self.bound
        }
        return endpoint
    }
}

/// Whether two stretches of the same length hold the same.
private func isSame(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard let left = left.baseAddress, let other = right.baseAddress else { return true }
    return memcmp(left, other, right.count) == 0
}
