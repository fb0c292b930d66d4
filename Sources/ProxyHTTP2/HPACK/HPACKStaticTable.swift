import Glibc
import ProxyWire

/// The static table (RFC 7541 appendix A).
struct HPACKStaticTable: Sendable {
    static let shared = HPACKStaticTable()
    /// The highest index.
    static let count = 61

    /// All names and values, each value behind its name.
    let bytes: [UInt8]
    /// What is at index 1, 2 and so on.
    let lines: [FieldSectionLines.Line]
    /// The first index with a name, where the name's hash points. 0 for none.
    private let slots: [UInt8]

    private init() {
        var bytes: [UInt8] = []
        var lines: [FieldSectionLines.Line] = []
        var slots = [UInt8](repeating: 0, count: 256)
        for (offset, (name, value)) in Self.entries.enumerated() {
            let start = bytes.count
            bytes += UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            let nameEnd = bytes.count
            bytes += UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount)
            let slot = bytes.withUnsafeBytes { Self.slot(of: $0.piece(at: start, nameEnd - start)) }
            // Names that are there more than once follow each other.
            if slots[slot] == 0 { slots[slot] = UInt8(offset + 1) }
            lines.append(
                FieldSectionLines.Line(start: start, nameEnd: nameEnd, end: bytes.count, staticIndex: slots[slot]))
        }
        self.bytes = bytes
        self.lines = lines
        self.slots = slots
    }

    /// The first index with this name, which is in lower case. 0 when there is none.
    func index(of name: UnsafeRawBufferPointer) -> UInt8 {
        guard !name.isEmpty else { return 0 }
        let index = slots[Self.slot(of: name)]
        guard index > 0 else { return 0 }
        let range = lines[Int(index) &- 1].name
        guard range.count == name.count, let theirs = name.baseAddress else { return 0 }
        return bytes.withUnsafeBytes { own in
            guard let base = own.baseAddress else { return 0 }
            return memcmp(base + range.lowerBound, theirs, range.count) == 0 ? index : 0
        }
    }

    /// A hash under which no two names of the table meet: found by trying factors. `name` isn't empty.
    @inline(__always)
    private static func slot(of name: UnsafeRawBufferPointer) -> Int {
        let count = name.count
        let ends = Int(name.byte(0)) &* 25 &+ Int(name.byte(count &- 1)) &* 13
        return (count &* 3 &+ ends &+ Int(name.byte(count &>> 1))) & 255
    }

    private static let entries: [(StaticString, StaticString)] = [
        (":authority", ""),
        (":method", "GET"),
        (":method", "POST"),
        (":path", "/"),
        (":path", "/index.html"),
        (":scheme", "http"),
        (":scheme", "https"),
        (":status", "200"),
        (":status", "204"),
        (":status", "206"),
        (":status", "304"),
        (":status", "400"),
        (":status", "404"),
        (":status", "500"),
        ("accept-charset", ""),
        ("accept-encoding", "gzip, deflate"),
        ("accept-language", ""),
        ("accept-ranges", ""),
        ("accept", ""),
        ("access-control-allow-origin", ""),
        ("age", ""),
        ("allow", ""),
        ("authorization", ""),
        ("cache-control", ""),
        ("content-disposition", ""),
        ("content-encoding", ""),
        ("content-language", ""),
        ("content-length", ""),
        ("content-location", ""),
        ("content-range", ""),
        ("content-type", ""),
        ("cookie", ""),
        ("date", ""),
        ("etag", ""),
        ("expect", ""),
        ("expires", ""),
        ("from", ""),
        ("host", ""),
        ("if-match", ""),
        ("if-modified-since", ""),
        ("if-none-match", ""),
        ("if-range", ""),
        ("if-unmodified-since", ""),
        ("last-modified", ""),
        ("link", ""),
        ("location", ""),
        ("max-forwards", ""),
        ("proxy-authenticate", ""),
        ("proxy-authorization", ""),
        ("range", ""),
        ("referer", ""),
        ("refresh", ""),
        ("retry-after", ""),
        ("server", ""),
        ("set-cookie", ""),
        ("strict-transport-security", ""),
        ("transfer-encoding", ""),
        ("user-agent", ""),
        ("vary", ""),
        ("via", ""),
        ("www-authenticate", ""),
    ]
}
