import NIOCore
import ProxyHTTP2
import ProxyWire
import Testing
import WireFixtures

@Suite struct FrameReaderTests {
    @Test(arguments: FrameExample.sound + FrameExample.broken)
    func framesAreReadAsTheRFCSays(_ example: FrameExample) {
        let read = FramesRead([example.bytes[...]])
        #expect(read.frames == example.frames)
        #expect(read.lines == example.lines)
        #expect(read.fault == example.fault)
    }

    @Test(arguments: FrameExample.sound + FrameExample.broken)
    func theyAreReadAlikeHoweverTheyAreCut(_ example: FrameExample) {
        let whole = FramesRead([example.bytes[...]])
        for cuts in everyCut(of: example.bytes) {
            #expect(FramesRead(example.bytes.pieces(at: cuts)) == whole, "at \(cuts)")
        }
    }

    /// Whatever is sound stays so behind whatever else is sound, but for what the tables of packing remember.
    @Test func soundFramesFollowEachOther() {
        let opening = hexadecimal(FrameExample.opening)
        let whole = FrameExample.sound.filter {
            $0.bytes.starts(with: opening) && FramesRead([$0.bytes[...]]).left == 0 && $0.frames.count > 1
        }
        let bytes = opening + whole.flatMap { $0.bytes.dropFirst(opening.count) }
        let read = FramesRead([bytes[...]])
        #expect(read.frames == [.settings(PeerSettings())] + whole.flatMap { $0.frames.dropFirst() })
        #expect(read.lines == whole.flatMap(\.lines))
        #expect(read.fault == nil && read.left == 0 && read.frames.count > 40)
        #expect(FramesRead(bytes.map { [$0][...] }) == read)
    }

    @Test func aWrongByteOfThePrefaceIsRefusedAtOnce() {
        let preface = hexadecimal(FrameExample.preface)
        for position in preface.indices {
            for wrong in [preface[position] ^ 1, preface[position] ^ 0x20, 0] where wrong != preface[position] {
                let bytes = preface[..<position] + [wrong]
                #expect(FramesRead([bytes]).fault == .protocolError, "at \(position)")
                #expect(FramesRead([preface[..<position]]).fault == nil)
            }
        }
    }

    // MARK: Bounds

    @Test func aFrameIsAtMostAsLongAsItMayBe() {
        let content = [UInt8](repeating: 0x61, count: 16_384)
        let bytes = opening + frame(0, stream: 1, content) + frame(0, flags: 1, stream: 1, content)
        let read = FramesRead(bytes.pieces(at: Array(stride(from: 0, to: bytes.count, by: 7))))
        let wanted = ByteBuffer(bytes: content)
        #expect(
            read.frames.dropFirst() == [
                .data(stream: 1, wanted, length: 16_384, endsStream: false),
                .data(stream: 1, wanted, length: 16_384, endsStream: true),
            ])
        #expect(read.fault == nil && read.mostWaiting < 9 + 16_384)
        for count in [16_385, 16_640, 65_536, 0xFF_FFFF] {
            let header = hexadecimal(String(count + 1 << 24, radix: 16).dropFirst() + "000000000001")
            #expect(FramesRead([(opening + header)[...]]).fault == .frameSizeError)
            #expect(FramesRead([(opening + header.dropLast())[...]]).fault == nil)
        }
    }

    @Test(arguments: [false, true])
    func aSectionIsOfSoManyFramesAtMost(areEmpty: Bool) {
        let part: [UInt8] = areEmpty ? [] : [0x82]
        let begun = opening + frame(1, flags: 1, stream: 1, part) + (1...62).flatMap { _ in frame(9, stream: 1, part) }
        let whole = FramesRead([(begun + frame(9, flags: 4, stream: 1, part))[...]])
        #expect(whole.frames.last == .headers(stream: 1, endsStream: true) && whole.fault == nil)
        #expect(whole.lines == [[String](repeating: ":method: GET", count: 64 * part.count)])
        let more = begun + frame(9, stream: 1, part)
        #expect(FramesRead([more[...]]).fault == nil)
        for flags: UInt8 in [0, 4] {
            let read = FramesRead([(more + frame(9, flags: flags, stream: 1, part))[...]])
            #expect(read.fault == .enhanceYourCalm && read.sections.isEmpty)
        }
    }

    @Test func thePackedBytesOfASectionAreBounded() {
        let limits = WireLimits(maxHeadBytes: 20_000)
        // Codes of 30 bits, so that what is packed is longer than what is not.
        let value = (0..<2600).flatMap { _ in hexadecimal("fffffff3 ffffffcf ffffff3f fffffc") }
        let block = [0, 1, 0x78] + integer(value.count, first: 0x80) + value
        for (count, fault) in [(40_000, HTTP2ErrorCode?.none), (40_001, .enhanceYourCalm)] {
            // A line that fills the rest.
            let filling = [UInt8](repeating: 0x79, count: count - block.count - 6)
            let filled = block + [0, 1, 0x79] + integer(filling.count, first: 0) + filling
            #expect(filled.count == count)
            for flags: UInt8 in [0, 4] {
                let read = FramesRead([(opening + section(filled, flags: flags))[...]], limits: limits)
                #expect(read.fault == fault && read.sections.count == (fault == nil && flags == 4 ? 1 : 0))
            }
        }
    }

    @Test func theUnpackedBytesOfASectionAreBounded() {
        let limits = WireLimits(maxHeadBytes: 1000)
        for (count, fault) in [(1967, HTTP2ErrorCode?.none), (1968, .enhanceYourCalm)] {
            let block = [0, 1, 0x61] + integer(count, first: 0) + [UInt8](repeating: 0x62, count: count)
            let read = FramesRead([(opening + frame(1, flags: 4, stream: 1, block))[...]], limits: limits)
            #expect(read.fault == fault && read.sections.count == (fault == nil ? 1 : 0))
        }
        // Few bytes that stand for many.
        let remembered = [0x40, 1, 0x61] + integer(1000, first: 0) + [UInt8](repeating: 0x62, count: 1000)
        let block = remembered + [0xBE]
        #expect(
            FramesRead([(opening + frame(1, flags: 4, stream: 1, block))[...]], limits: limits).fault
                == .enhanceYourCalm)
    }

    @Test func theLinesOfASectionAreBounded() {
        let limits = WireLimits(maxFields: 10)
        for (count, fault) in [(28, HTTP2ErrorCode?.none), (29, .enhanceYourCalm)] {
            let block = [UInt8](repeating: 0x82, count: count)
            let read = FramesRead([(opening + frame(1, flags: 4, stream: 1, block))[...]], limits: limits)
            #expect(read.fault == fault && read.lines.map(\.count) == (fault == nil ? [count] : []))
        }
    }

    @Test func aSectionHoldsUntilTheNextOne() throws {
        var reader = FrameReader(of: .client, limits: WireLimits())
        var buffer = ByteBuffer(bytes: opening + frame(1, flags: 5, stream: 1, [0x82]) + frame(1, stream: 3, [0x84]))
        #expect(try reader.next(from: &buffer) == .settings(PeerSettings()))
        #expect(try reader.next(from: &buffer) == .headers(stream: 1, endsStream: true))
        #expect(try reader.next(from: &buffer) == nil)
        #expect(reader.section.texts == [":method: GET"])
        buffer.writeBytes(frame(9, flags: 4, stream: 3, []))
        #expect(try reader.next(from: &buffer) == .headers(stream: 3, endsStream: false))
        #expect(reader.section.texts == [":path: /"])
    }

    // MARK: What a client sends

    private let opening = hexadecimal(FrameExample.opening)

    private func frame(_ kind: UInt8, flags: UInt8 = 0, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags, 0, 0, 0, stream]
            + payload
    }

    /// - Parameter flags: of its last frame.
    private func section(_ block: [UInt8], flags: UInt8) -> [UInt8] {
        let parts = stride(from: 0, to: block.count, by: 16_384).map {
            Array(block[$0..<min($0 + 16_384, block.count)])
        }
        return parts.enumerated().flatMap { number, part in
            frame(number == 0 ? 1 : 9, flags: number == parts.count - 1 ? flags : 0, stream: 1, part)
        }
    }

    /// The length of a string (RFC 7541 section 5.1) that is at least 127.
    private func integer(_ value: Int, first: UInt8) -> [UInt8] {
        var bytes = [first | 0x7F]
        var rest = value - 127
        while rest >= 128 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
