import Foundation
import NIOCore
import NIOHPACK
import ProxyHTTP2
import Testing
import WireFixtures

@Suite struct HPACKTests {
    @Test(arguments: HPACKExample.all)
    func examplesOfTheRFCAreRead(_ example: HPACKExample) throws {
        var decoder = OurHPACKDecoder(tableBytes: example.tableBytes)
        for block in example.blocks {
            #expect(try decoder.read(hexadecimal(block.packed)) == block.lines)
        }
    }

    @Test(arguments: HPACKExample.all)
    func aBlockThatIsCutIsRefusedOrHoldsItsFirstLines(_ example: HPACKExample) throws {
        var decoder = OurHPACKDecoder(tableBytes: example.tableBytes)
        for block in example.blocks {
            let bytes = hexadecimal(block.packed)
            for count in bytes.indices {
                var cut = decoder
                guard let lines = try? cut.read(Array(bytes[..<count])) else { continue }
                #expect(block.lines.starts(with: lines) && lines.count < block.lines.count, "cut at \(count)")
            }
            _ = try decoder.read(bytes)
        }
    }

    @Test func lengthsAreReadHoweverManyBytesTheyTake() throws {
        for count in [0, 1, 126, 127, 128, 254, 255, 256, 16_000, 20_000] {
            let value = String(repeating: "v", count: count)
            var block = ByteBuffer()
            write("x", value, to: &block)
            var decoder = OurHPACKDecoder()
            #expect(try decoder.read(Array(block.readableBytesView)) == ["x: \(value)"])
        }
        var decoder = OurHPACKDecoder()
        #expect(try decoder.read(hexadecimal("00 0178 7f8080808000") + [UInt8](repeating: 0x76, count: 127)).count == 1)
    }

    @Test func aLineKnowsTheFirstStaticIndexOfItsName() throws {
        var decoder = OurHPACKDecoder()
        _ = try decoder.read(hexadecimal("83 85 8e 43 0150 be 7e 0151 10 04 64617465 00 0f12 00 0f2f 00 7f00 00"))
        #expect(decoder.section.lines.map(\.staticIndex) == [2, 4, 8, 2, 2, 2, 0, 33, 2, 2])
    }

    @Test func everyRareSymbolIsUnpacked() throws {
        let codes: [(symbol: UInt8, code: UInt64, length: UInt64)] = [
            (0, 0x1ff8, 13), (1, 0x7fffd8, 23), (10, 0x3fff_fffc, 30), (22, 0x3fff_fffe, 30), (92, 0x7fff0, 19),
            (192, 0x3ff_ffe0, 26), (193, 0x3ff_ffe1, 26), (245, 0x7ff_ffe8, 27), (246, 0x7ff_ffe9, 27),
            (247, 0x7ff_ffea, 27), (248, 0x7ff_ffeb, 27), (249, 0xfff_fffe, 28), (250, 0x7ff_ffec, 27),
            (251, 0x7ff_ffed, 27), (252, 0x7ff_ffee, 27), (253, 0x7ff_ffef, 27), (254, 0x7ff_fff0, 27),
            (255, 0x3ff_ffee, 26),
        ]
        for (symbol, code, length) in codes {
            let bits = code << (64 - length) | UInt64.max >> length
            let packed = (0..<(length + 7) / 8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) }
            var decoder = OurHPACKDecoder()
            #expect(try decoder.read([0, 1, 0x78, 0x80 | UInt8(packed.count)] + packed) == ["x: " + text([symbol])])
        }
    }

    @Test func aNewEntryMayHaveTheNameOfOneThatGoesForIt() throws {
        var decoder = OurHPACKDecoder(tableBytes: 64)
        #expect(try decoder.read(hexadecimal("40 0161 0162")) == ["a: b"])
        let value = [UInt8](repeating: 0x63, count: 31)
        #expect(try decoder.read([0x7E, 31] + value + [0xBE]) == ["a: \(text(value))", "a: \(text(value))"])
        #expect(throws: HPACKFault.malformed) { try decoder.read([0xBF]) }
    }

    @Test func whatFitsToTheByteStays() throws {
        let entries = hexadecimal("40 0161 0162 40 0163 0164")
        var decoder = OurHPACKDecoder(tableBytes: 68)
        #expect(try decoder.read(entries + [0xBE, 0xBF]) == ["a: b", "c: d", "c: d", "a: b"])
        #expect(try decoder.read(hexadecimal("3f25 bf")) == ["a: b"])
        #expect(throws: HPACKFault.malformed) { try decoder.read(hexadecimal("3f24 bf")) }
        decoder = OurHPACKDecoder(tableBytes: 67)
        #expect(throws: HPACKFault.malformed) { try decoder.read(entries + [0xBF]) }
        decoder = OurHPACKDecoder(tableBytes: 34)
        #expect(try decoder.read(entries + [0xBE]) == ["a: b", "c: d", "c: d"])
        decoder = OurHPACKDecoder(tableBytes: 33)
        #expect(throws: HPACKFault.malformed) { try decoder.read(entries + [0xBE]) }
    }

    @Test func anEntryLargerThanTheTableEmptiesIt() throws {
        var decoder = OurHPACKDecoder(tableBytes: 64)
        #expect(try decoder.read(hexadecimal("40 0161 0162 be")).count == 2)
        #expect(try decoder.read([0x40, 1, 0x61, 32] + [UInt8](repeating: 0x63, count: 32)).count == 1)
        #expect(throws: HPACKFault.malformed) { try decoder.read([0xBE]) }
    }

    @Test func aTableIsOfTheSizeThatItsUserSays() throws {
        var decoder = OurHPACKDecoder(tableBytes: 8192)
        let large = [0x40, 1, 0x61, 0x7F, 0xA1, 0x1F] + [UInt8](repeating: 0x63, count: 4128)
        #expect(throws: HPACKFault.malformed) { try decoder.read(large + [0xBE]) }
        decoder = OurHPACKDecoder(tableBytes: 8192)
        #expect(try decoder.read(hexadecimal("20 3fe13f") + large + [0xBE]).count == 2)
        #expect(throws: HPACKFault.malformed) { try decoder.read(hexadecimal("20 3fe13f be")) }
    }

    @Test func limitsAreKeptToTheByte() throws {
        let block = hexadecimal("82 00 0161 0162 40 0163 83 1c6493")
        let lines = [":method: GET", "a: b", "c: abcd"]
        for (mostBytes, mostLines) in [(113, 3), (114, 3), (113, 9)] {
            var decoder = OurHPACKDecoder(mostBytes: mostBytes, mostLines: mostLines)
            #expect(try decoder.read(block) == lines)
            #expect(try decoder.read(block) == lines)
        }
        for (mostBytes, mostLines) in [(112, 3), (113, 2), (31, 3), (0, 3), (113, 0)] {
            var decoder = OurHPACKDecoder(mostBytes: mostBytes, mostLines: mostLines)
            #expect(throws: HPACKFault.tooLarge) { try decoder.read(block) }
            #expect(decoder.section.bytes.isEmpty && decoder.section.lines.isEmpty)
        }
    }

    @Test func whatIsTooLargeIsNotReadToItsEnd() {
        var decoder = OurHPACKDecoder(mostBytes: 1000)
        let huge = [0x00, 1, 0x61, 0xFF, 0xA1, 0x1F] + [UInt8](repeating: 0, count: 4000)
        #expect(throws: HPACKFault.tooLarge) { try decoder.read(huge + [UInt8](repeating: 0xFF, count: 128)) }
        decoder = OurHPACKDecoder(mostLines: 5)
        #expect(throws: HPACKFault.tooLarge) { try decoder.read([UInt8](repeating: 0x82, count: 6) + [0x80]) }
    }

    static let malformed: [(what: String, block: String)] = [
        ("index 0", "80"), ("an index beyond the static table", "be"), ("an index far beyond", "ffff7f"),
        ("a name beyond the static table", "7e 0161"), ("a name not remembered beyond it", "0f2f 0161"),
        ("an integer that is cut", "ff"), ("an integer that is cut later", "ff80"),
        ("an integer of six more bytes", "ff808080808000"), ("an integer of 2^28", "00 7f81ffff7f"),
        ("an integer of 2^35", "00 7fffffffff7f"), ("an integer that would overflow", "00 7fffffffffffffffffff7f"),
        ("no name", "00"), ("no value", "00 0161"),
        ("a name that is cut", "00 0261"), ("a value that is cut", "01 0261"),
        ("a Huffman-coded string that is cut", "01 821c"), ("a length far beyond the block", "01 7fff7f"),
        ("padding of zeros", "01 8118"), ("padding with a zero", "01 811e"), ("padding of eight bits", "01 821fff"),
        ("nothing but eight bits of padding", "01 81ff"), ("a code that is cut", "01 82fffe"),
        ("EOS", "01 84ffffffff"), ("EOS within", "01 851fffffffff"), ("EOS and more", "01 86ffffffffffff"),
        ("EOS far within", "01 8a1c6493 ffffffff 1c6493"),
        ("a table above the limit", "3fe21f"), ("a table that is cut", "3f"), ("a table after a line", "82 20"),
        ("a table after two changes", "20 21 22"), ("a table after changes and a line", "20 82 21"),
    ]

    @Test(arguments: malformed)
    func whatBreaksARuleIsRefused(_ what: String, _ block: String) {
        var decoder = OurHPACKDecoder()
        #expect(throws: HPACKFault.malformed, "\(what)") { try decoder.read(hexadecimal(block)) }
        #expect(decoder.section.bytes.isEmpty && decoder.section.lines.isEmpty)
    }

    @Test func everyStatusIsWrittenAsItIsRead() throws {
        for status in 100...599 {
            var block = ByteBuffer()
            block.writeStatusLine(status)
            #expect(block.readableBytes == ([200, 204, 206, 304, 400, 404, 500].contains(status) ? 1 : 5))
            var theirs = NIOHPACK.HPACKDecoder(allocator: ByteBufferAllocator())
            #expect(try theirs.decodeHeaders(from: &block).map { [$0.name, $0.value] } == [[":status", "\(status)"]])
        }
    }

    @Test func anEmptyTableStaysEmpty() throws {
        var block = ByteBuffer()
        block.writeEmptyTable()
        block.writeStatusLine(200)
        var decoder = OurHPACKDecoder(tableBytes: 0)
        #expect(try decoder.read(Array(block.readableBytesView)) == [":status: 200"])
    }

    @Test func lettersAloneAreWrittenInLowerCase() throws {
        for byte in UInt8.min...UInt8.max {
            for count in [1, 7, 8, 9, 30] {
                let name = [UInt8](repeating: byte, count: count)
                var block = ByteBuffer()
                let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
                name.withUnsafeBytes { block.writeUnindexed(name: $0, value: nothing) }
                var decoder = OurHPACKDecoder()
                _ = try decoder.read(Array(block.readableBytesView))
                #expect(decoder.section.bytes == name.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 })
            }
        }
    }

    @Test func aKnownNameIsWrittenAsItsIndexInAnyCase() throws {
        for index in UInt8(1)...61 {
            var decoder = OurHPACKDecoder()
            let line = try decoder.read([0x80 | index])[0]
            let name = String(line.prefix(upTo: line.dropFirst().firstIndex(of: ":") ?? line.endIndex))
            for spelling in [name, name.uppercased()] {
                var block = ByteBuffer()
                write(spelling, "v", to: &block)
                #expect(block.readableBytes == (decoder.section.lines[0].staticIndex < 15 ? 3 : 4), "\(spelling)")
                #expect(try decoder.read(Array(block.readableBytesView)) == ["\(name): v"])
            }
            for position in name.indices {
                var block = ByteBuffer()
                write(name.replacingCharacters(in: position...position, with: "\r"), "v", to: &block)
                #expect(block.readableBytes == name.utf8.count + 4)
            }
        }
    }
}
