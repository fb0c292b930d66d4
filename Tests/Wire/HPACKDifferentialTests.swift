import NIOCore
import NIOHPACK
import ProxyHTTP2
import Testing
import WireFixtures

@Suite struct HPACKDifferentialTests {
    @Test(arguments: [true, false])
    func whatNIOPacksIsReadAsItWas(isHuffman: Bool) throws {
        let seed = runSeed()
        var maker = FieldSectionMaker(random: SeededRandom(seed))
        for round in rounds(40) {
            var encoder = HPACKEncoder(allocator: ByteBufferAllocator(), useHuffmanEncoding: isHuffman)
            var decoder = OurHPACKDecoder(tableBytes: 16_384, mostBytes: 1 << 20)
            maker.forget()
            for block in 0..<25 {
                for _ in 0..<maker.below(3) where maker.below(4) == 0 {
                    try encoder.setDynamicTableSize(maker.below(maker.below(2) == 0 ? 300 : 16_384))
                }
                let section = maker.section()
                var packed = ByteBuffer()
                try encoder.encode(headers: section, to: &packed)
                let lines = try decoder.read(Array(packed.readableBytesView))
                #expect(lines == theirs(section), "WIRE_SEED=\(seed) round \(round) block \(block)")
            }
        }
    }

    @Test func whatWePackIsReadAsItWas() throws {
        let seed = runSeed()
        var maker = FieldSectionMaker(random: SeededRandom(seed))
        var ours = OurHPACKDecoder(mostBytes: 1 << 20)
        for round in rounds(1000) {
            let section = maker.section()
            var packed = ByteBuffer()
            for line in section { write(maker.recased(line.name), line.value, to: &packed) }
            let read = try ours.read(Array(packed.readableBytesView))
            #expect(read == theirs(section), "WIRE_SEED=\(seed) round \(round)")
            var decoder = NIOHPACK.HPACKDecoder(
                allocator: ByteBufferAllocator(), maxDynamicTableSize: 0, maxHeaderListSize: 1 << 20)
            let lines = theirs(try decoder.decodeHeaders(from: &packed))
            #expect(lines == theirs(section), "WIRE_SEED=\(seed) round \(round)")
        }
    }

    @Test func packedStringsAreReadAsNIOReadsThem() {
        let seed = runSeed()
        var random = SeededRandom(seed)
        var accepted = 0
        for round in rounds(6000) {
            let count = Int.random(in: 0...9, using: &random)
            var packed = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            for index in packed.indices where Int.random(in: 0..<3, using: &random) == 0 { packed[index] |= 0xF8 }
            let block = [0, 1, 0x78, 0x80 | UInt8(packed.count)] + packed
            var decoder = OurHPACKDecoder()
            let ours = try? decoder.read(block)
            // Theirs refuse what isn't UTF-8.
            guard decoder.section.isUTF8 else { continue }
            var theirDecoder = NIOHPACK.HPACKDecoder(allocator: ByteBufferAllocator())
            var buffer = ByteBuffer(bytes: block)
            let their = (try? theirDecoder.decodeHeaders(from: &buffer)).map(theirs)
            #expect(ours == their, "WIRE_SEED=\(seed) round \(round)")
            accepted += ours == nil ? 0 : 1
        }
        #expect(accepted > 300, "too little was compared")
    }

    @Test func aBlockThatIsCutIsRefusedOrHoldsItsFirstLines() throws {
        let seed = runSeed()
        var maker = FieldSectionMaker(random: SeededRandom(seed))
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
        var decoder = OurHPACKDecoder(mostBytes: 1 << 20)
        for round in rounds(10) {
            var packed = ByteBuffer()
            let section = maker.section()
            try encoder.encode(headers: section, to: &packed)
            let bytes = Array(packed.readableBytesView)
            for count in 0..<min(bytes.count, 600) {
                var cut = decoder
                guard let lines = try? cut.read(Array(bytes[..<count])) else { continue }
                let isPrefix = theirs(section).starts(with: lines) && lines.count < section.count
                #expect(isPrefix, "WIRE_SEED=\(seed) round \(round) cut at \(count)")
            }
            _ = try decoder.read(bytes)
        }
    }
}

private struct FieldSectionMaker {
    var random: SeededRandom
    private var seen: [(name: String, value: String)] = []

    init(random: SeededRandom) { self.random = random }

    mutating func forget() { seen = [] }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    mutating func section() -> HPACKHeaders {
        var section = HPACKHeaders()
        for _ in 0..<below(14) {
            let line = line()
            let indexing: HPACKIndexing = [.indexable, .indexable, .indexable, .nonIndexable, .neverIndexed][below(5)]
            section.add(name: line.name, value: line.value, indexing: indexing)
        }
        return section
    }

    private mutating func line() -> (name: String, value: String) {
        let old = seen.isEmpty ? nil : seen[below(seen.count)]
        if let old, below(3) == 0 { return old }
        let known = [
            ":path", ":method", ":status", "set-cookie", "www-authenticate", "age", "access-control-allow-origin",
        ]
        let names = [known[below(known.count)], old?.name ?? "x", characters(in: "abcxyz09-_:~", 1 + below(30))]
        let line = (names[below(3)], value())
        seen.append(line)
        return line
    }

    private mutating func value() -> String {
        switch below(20) {
        case 0: return ""
        case 1: return characters(in: "aeiost 0", below(2000))
        case 2...5: return String(String.UnicodeScalarView((0..<below(60)).map { _ in scalar() }))
        default:
            return characters(in: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-./=?&;,", below(80))
        }
    }

    private mutating func scalar() -> Unicode.Scalar {
        Unicode.Scalar(UInt32(below([0x80, 0x800, 0xD800, 0x10_0000][below(4)]))) ?? "?"
    }

    private mutating func characters(in set: String, _ count: Int) -> String {
        let all = Array(set)
        return String((0..<count).map { _ in all[below(all.count)] })
    }

    mutating func recased(_ name: String) -> String {
        String(name.map { below(2) == 0 ? Character($0.uppercased()) : $0 })
    }
}
