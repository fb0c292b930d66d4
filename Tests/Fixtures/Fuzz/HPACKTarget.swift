import NIOCore
import NIOHPACK
import ProxyHTTP2
import WireFixtures

extension FuzzTarget {
    /// Packed field sections, two of one connection: read as NIOHPACK reads them, or refused by both. The first byte of
    /// an input is the length of the first section.
    static let hpack = FuzzTarget(
        binary: "hpack",
        words: [
            "80", "82", "be", "bf", "c0", "ff00", "ff8000", "20", "3f01", "3fe11f", "3fe21f", "40", "41", "7e", "7f00",
            "00",
            "0f2f", "10", "1f00", "0161", "8118", "811c", "83ffffff", "84ffffffff", "7f00", "7f8001", "ff8080808000",
            "ff808080808000", "0000", "0180", "00000161", "fe",
        ]
    ) { input, _ in
        guard let first = input.first else { return nil }
        let rest = input.dropFirst()
        let blocks = [rest.prefix(Int(first)), rest.dropFirst(Int(first))]
        let memory = GuardedBytes(capacity: max(input.count, 1))
        let mostBytes = 16_384
        var ours = ProxyHTTP2.HPACKDecoder(mostBytes: mostBytes, mostLines: mostBytes)
        var theirs = NIOHPACK.HPACKDecoder(
            allocator: ByteBufferAllocator(), maxDynamicTableSize: 4096, maxHeaderListSize: mostBytes)
        var section = FieldSectionLines()
        for (number, block) in blocks.enumerated() {
            var packed = ByteBuffer(bytes: block)
            let their = (try? theirs.decodeHeaders(from: &packed))?.map { HPACKLine($0.name.utf8, $0.value.utf8) }
            var our: [HPACKLine]?
            let isRead: Void? = try? memory.with(block) { (bytes) throws(HPACKFault) in
                try ours.decode(bytes, into: &section)
            }
            if isRead != nil {
                our = section.lines.map { HPACKLine(section.bytes[$0.name], section.bytes[$0.value]) }
            }
            if our != their {
                if HPACKDifference.between(our, their, block) != nil { return nil }
                return "section \(number) is \(shown(our)) to us and \(shown(their)) to NIO"
            }
            if our == nil { return nil }
        }
        return nil
    }

    private static func shown(_ lines: [HPACKLine]?) -> String {
        lines.map { "\($0.map { text($0.name) + ": " + text($0.value) })" } ?? "refused"
    }
}

/// A line as bytes.
private struct HPACKLine: Equatable {
    let name: [UInt8]
    let value: [UInt8]

    init(_ name: some Sequence<UInt8>, _ value: some Sequence<UInt8>) {
        self.name = Array(name)
        self.value = Array(value)
    }

    var isUTF8: Bool {
        String(validating: name, as: UTF8.self) != nil && String(validating: value, as: UTF8.self) != nil
    }
}

/// What NIOHPACK and we read differently, and by which right.
private enum HPACKDifference {
    /// Their lines are Strings: bytes that aren't UTF-8 they repair, or refuse where they were packed. RFC 9110 section
    /// 5.5 lets values have any bytes above 0x7F.
    case notUTF8
    /// They refuse a name that is spelled out and empty. RFC 7541 doesn't; that no field has such a name (RFC 9110
    /// section 5.1) is for whoever reads the lines.
    case emptyName
    /// An integer of more bytes than we read, whatever its value: RFC 7541 section 5.1 wants a limit, and leaves it to
    /// us.
    case longInteger

    static func between(_ ours: [HPACKLine]?, _ theirs: [HPACKLine]?, _ block: ArraySlice<UInt8>) -> HPACKDifference? {
        if let ours {
            if !ours.allSatisfy(\.isUTF8) { return .notUTF8 }
            return theirs == nil && ours.contains(where: \.name.isEmpty) ? .emptyName : nil
        }
        var outline = HPACKOutline(rest: block)
        return theirs != nil && outline.hasLongInteger() ? .longInteger : nil
    }
}

/// Walks over a block that is known to be sound, and looks at the lengths of its integers alone.
private struct HPACKOutline {
    var rest: ArraySlice<UInt8>
    private var isLong = false

    init(rest: ArraySlice<UInt8>) { self.rest = rest }

    mutating func hasLongInteger() -> Bool {
        while let first = rest.first {
            switch first {
            case 0x80...: _ = integer(prefix: 7)
            case 0x40...: literal(prefix: 6)
            case 0x20...: _ = integer(prefix: 5)
            default: literal(prefix: 4)
            }
        }
        return isLong
    }

    private mutating func literal(prefix: Int) {
        if integer(prefix: prefix) == 0 { string() }
        string()
    }

    private mutating func string() { rest = rest.dropFirst(integer(prefix: 7)) }

    private mutating func integer(prefix: Int) -> Int {
        let mask = UInt8(truncatingIfNeeded: 1 << prefix - 1)
        guard let first = rest.popFirst() else { return 0 }
        guard first & mask == mask else { return Int(first & mask) }
        var value = Int(mask)
        var count = 0
        while let byte = rest.popFirst() {
            value &+= Int(byte & 0x7F) &<< (7 * count)
            count += 1
            if byte < 0x80 { break }
        }
        isLong = isLong || count > 5
        return value
    }
}
