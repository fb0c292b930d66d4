import ProxyHTTP2
import Testing
import WireFixtures

/// What a server sends, as a client reads it.
@Suite struct ServerFrameTests {
    static let opening = "000000 04 00 00000000"

    static let rows: [(rule: String, packed: String, frames: [PeerFrame], fault: HTTP2ErrorCode?)] = [
        ("3.4: SETTINGS come first", "", [], nil),
        ("6.5.2: no push", "000006 04 00 00000000 0002 00000000", [.settings(PeerSettings())], nil),
        ("6.5.2: a server takes no pushes", "000006 04 00 00000000 0002 00000001", [], .protocolError),
        (
            "6.5.2: so many streams", "000006 04 00 00000000 0003 00000007", [.settings(PeerSettings(mostStreams: 7))],
            nil
        ),
        (
            "6.5.2: with a window", "00000c 04 00 00000000 0003 00000000 0004 00000001",
            [.settings(PeerSettings(initialWindow: 1, mostStreams: 0))], nil
        ),
        ("6.6: a push that was not allowed", "000004 05 04 00000001 00000002", [], .protocolError),
        (
            "8.7: a stream that was refused", "000004 03 00 00000001 00000007", [.reset(stream: 1, wasRefused: true)],
            nil
        ),
        (
            "7: a stream that was cancelled", "000004 03 00 00000001 00000008",
            [.reset(stream: 1, wasRefused: false)], nil
        ),
        ("6.8: the last that is answered", "000008 07 00 00000000 80000005 00000000", [.goAway(lastStream: 5)], nil),
        ("6.2: an answer's head", "000001 01 05 00000001 88", [.headers(stream: 1, endsStream: true)], nil),
    ]

    @Test func framesAreReadAsTheRFCSays() {
        for (rule, packed, frames, fault) in Self.rows {
            let bytes = hexadecimal(Self.opening + packed)
            let read = FramesRead([bytes[...]], of: .server)
            #expect(read.frames == [.settings(PeerSettings())] + frames && read.fault == fault, "\(rule)")
            #expect(FramesRead(bytes.map { [$0][...] }, of: .server) == read, "\(rule)")
        }
    }

    @Test func whatIsNoServerIsRefused() {
        for packed in [FrameExample.preface, "000000 04 01 00000000", "000008 06 00 00000000 0102030405060708"] {
            #expect(FramesRead([hexadecimal(packed)[...]], of: .server).fault != nil, "\(packed)")
        }
    }
}
