import NIOCore
import NIOHPACK
import ProxyHTTP2
import WireFixtures

struct OurHPACKDecoder {
    private var decoder: ProxyHTTP2.HPACKDecoder
    private(set) var section = FieldSectionLines()

    init(tableBytes: Int = 4096, mostBytes: Int = 65_536, mostLines: Int = 1000) {
        decoder = ProxyHTTP2.HPACKDecoder(tableBytes: tableBytes, mostBytes: mostBytes, mostLines: mostLines)
    }

    mutating func read(_ block: [UInt8]) throws(HPACKFault) -> [String] {
        let memory = GuardedBytes(capacity: max(block.count, 1))
        try memory.with(block[...]) { (bytes) throws(HPACKFault) in try decoder.decode(bytes, into: &section) }
        return section.lines.map { text(section.bytes[$0.name]) + ": " + text(section.bytes[$0.value]) }
    }
}

extension FieldSectionLines {
    var isUTF8: Bool {
        lines.allSatisfy {
            String(validating: bytes[$0.name], as: UTF8.self) != nil
                && String(validating: bytes[$0.value], as: UTF8.self) != nil
        }
    }
}

func theirs(_ section: HPACKHeaders) -> [String] {
    section.map { text($0.name.utf8) + ": " + text($0.value.utf8) }
}

func write(_ name: String, _ value: String, to block: inout ByteBuffer) {
    Array(name.utf8).withUnsafeBytes { name in
        Array(value.utf8).withUnsafeBytes { block.writeUnindexed(name: name, value: $0) }
    }
}

func hexadecimal(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
