import NIOCore
import ProxyHTTP2
import Testing
import WireFixtures

@Suite struct FrameWritingTests {
    static let frames: [(what: String, packed: String, write: @Sendable (inout ByteBuffer) -> Void)] = [
        (
            "the hello: its settings, and a window beyond the usual one",
            "000012 04 00 00000000 0003 00000064 0004 00020000 0006 00010000 000004 08 00 00000000 00000001",
            { $0.writeServerHello(streams: 100, streamWindow: 131_072, connectionWindow: 65_536, headBytes: 65_536) }
        ),
        (
            "the hello with the usual window",
            "000012 04 00 00000000 0003 00000001 0004 00000000 0006 ffffffff",
            { $0.writeServerHello(streams: 1, streamWindow: 0, connectionWindow: 65_535, headBytes: 1 << 40) }
        ),
        (
            "a client's hello: the preface, its settings, and a window beyond the usual one",
            FrameExample.preface + "000012 04 00 00000000 0002 00000000 0004 00040000 0006 00010000 "
                + "000004 08 00 00000000 00000001",
            { $0.writeClientHello(streamWindow: 262_144, connectionWindow: 65_536, headBytes: 65_536) }
        ),
        ("SETTINGS that are acknowledged", "000000 04 01 00000000", { $0.writeSettingsAcknowledgement() }),
        ("a ping", "000008 06 00 00000000 0000000000000007", { $0.writePing(7) }),
        ("a ping's answer", "000008 06 01 00000000 0102030405060708", { $0.writePingAnswer(0x0102_0304_0506_0708) }),
        ("room on the connection", "000004 08 00 00000000 00000001", { $0.writeWindowUpdate(1, stream: 0) }),
        (
            "as much room as there can be, on the last stream", "000004 08 00 7fffffff 7fffffff",
            { $0.writeWindowUpdate(HTTP2Window.most, stream: 0x7FFF_FFFF) }
        ),
        ("a reset", "000004 03 00 01020305 00000007", { $0.writeReset(.refusedStream, stream: 0x0102_0305) }),
        (
            "a farewell", "000008 07 00 00000000 01020305 0000000b",
            { $0.writeGoAway(.enhanceYourCalm, lastStream: 0x0102_0305) }
        ),
        (
            "a farewell to one that asked for nothing", "000008 07 00 00000000 00000000 00000000",
            { $0.writeGoAway(.noError, lastStream: 0) }
        ),
    ]

    @Test func aFrameIsWrittenToTheByte() {
        for (what, packed, write) in Self.frames {
            var buffer = ByteBuffer(string: "before")
            write(&buffer)
            #expect(Array(buffer.readableBytesView.dropFirst(6)) == hexadecimal(packed), "\(what)")
        }
    }

    // MARK: Content

    @Test func contentIsWrittenInFramesOfAtMostAsMuchAsThereIsRoomFor() {
        let content = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        for (most, counts) in [
            (Int.max, [16_384, 16_384, 7232]), (16_385, [16_384, 16_384, 7232]), (20_000, [16_384, 16_384, 7232]),
            (16_000, [16_000, 16_000, 8000]), (40_000, [16_384, 16_384, 7232]),
        ] {
            for endsStream in [true, false] {
                var rest = ByteBuffer(bytes: content)
                var written = ByteBuffer()
                for count in counts {
                    #expect(written.writeData(&rest, atMost: most, endsStream: endsStream, stream: 5) == count)
                }
                #expect(rest.readableBytes == 0)
                let read = WrittenFrame.all(in: written)
                #expect(read.map(\.payload.count) == counts && read.flatMap(\.payload) == content)
                #expect(read.allSatisfy { $0.kind == 0 && $0.stream == 5 })
                #expect(read.map(\.flags) == [0, 0, endsStream ? 1 : 0])
            }
        }
    }

    @Test func whatThereIsNoRoomForIsNotWritten() {
        var rest = ByteBuffer(string: "abc")
        var written = ByteBuffer()
        #expect(written.writeData(&rest, atMost: 0, endsStream: true, stream: 1) == 0)
        #expect(written.writeData(&rest, atMost: 2, endsStream: true, stream: 1) == 2)
        #expect(written.writeData(&rest, atMost: 1, endsStream: true, stream: 1) == 1)
        #expect(written.writeData(&rest, atMost: 1, endsStream: false, stream: 1) == 0)
        #expect(written.writeData(&rest, atMost: 0, endsStream: true, stream: 1) == 0)
        let frames = "000000 00 00 00000001 000002 00 00 00000001 6162 000001 00 01 00000001 63"
        let empty = "000000 00 00 00000001 000000 00 01 00000001"
        #expect(Array(written.readableBytesView) == hexadecimal(frames + empty))
    }

    // MARK: Field sections

    @Test(arguments: [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 65_536, 100_000])
    func aSectionIsWrittenInAsManyFramesAsItTakes(count: Int) {
        let block = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 11) }
        for endsStream in [true, false] {
            var buffer = ByteBuffer(string: "before")
            buffer.writeHeaders(endsStream: endsStream, stream: 0x0102_0305) { $0.writeBytes(block) }
            buffer.writePingAnswer(1)
            buffer.moveReaderIndex(forwardBy: 6)
            let frames = WrittenFrame.all(in: buffer)
            #expect(frames.last?.kind == 6)
            let parts = frames.dropLast()
            #expect(parts.flatMap(\.payload) == block)
            #expect(parts.allSatisfy { $0.stream == 0x0102_0305 && $0.payload.count <= 16_384 })
            #expect(parts.map(\.kind) == [1] + [UInt8](repeating: 9, count: max(0, (count - 1) / 16_384)))
            let isLast = parts.indices.map { $0 == parts.endIndex - 1 ? UInt8(4) : 0 }
            #expect(parts.map(\.flags) == isLast.enumerated().map { $1 | ($0 == 0 && endsStream ? 1 : 0) })
        }
    }

    @Test func aSectionIsReadAsItWasWritten() throws {
        let value = String(repeating: "v", count: 40_000)
        var buffer = ByteBuffer(bytes: hexadecimal(FrameExample.opening))
        buffer.writeHeaders(endsStream: true, stream: 7) { WireTests.write("X-Large", value, to: &$0) }
        let read = FramesRead([Array(buffer.readableBytesView)[...]])
        #expect(read.frames.last == .headers(stream: 7, endsStream: true))
        #expect(read.lines == [["x-large: \(value)"]] && read.fault == nil)
    }
}

/// A frame as it was written, whatever it means.
private struct WrittenFrame {
    let kind: UInt8
    let flags: UInt8
    let stream: UInt32
    let payload: [UInt8]

    static func all(in buffer: ByteBuffer) -> [WrittenFrame] {
        var rest = buffer
        var frames: [WrittenFrame] = []
        while let high = rest.readInteger(as: UInt8.self), let low = rest.readInteger(as: UInt16.self),
            let kind = rest.readInteger(as: UInt8.self), let flags = rest.readInteger(as: UInt8.self),
            let stream = rest.readInteger(as: UInt32.self),
            let payload = rest.readBytes(length: Int(high) << 16 | Int(low))
        {
            frames.append(WrittenFrame(kind: kind, flags: flags, stream: stream, payload: payload))
        }
        #expect(rest.readableBytes == 0)
        return frames
    }
}
