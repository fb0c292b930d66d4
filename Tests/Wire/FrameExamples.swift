import NIOCore
import ProxyHTTP2

/// Bytes of a client, and what they must be read as.
struct FrameExample: Sendable, CustomStringConvertible {
    /// The rule, and its section of RFC 9113.
    let description: String
    let bytes: [UInt8]
    let frames: [PeerFrame]
    /// The lines of each field section.
    let lines: [[String]]
    let fault: HTTP2ErrorCode?

    /// - Parameter packed: in hexadecimal, all that comes of a client.
    init(
        _ rule: String, whole packed: String, _ frames: [PeerFrame] = [], lines: [[String]] = [],
        fault: HTTP2ErrorCode? = nil
    ) {
        description = rule
        bytes = hexadecimal(packed)
        self.frames = frames
        self.lines = lines
        self.fault = fault
    }

    /// - Parameter packed: in hexadecimal, what comes behind the preface and SETTINGS without a value.
    init(
        _ rule: String, _ packed: String, _ frames: [PeerFrame] = [], lines: [[String]] = [],
        fault: HTTP2ErrorCode? = nil
    ) {
        self.init(
            rule, whole: Self.opening + packed, [.settings(PeerSettings())] + frames, lines: lines, fault: fault)
    }

    static let preface = "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a"
    /// What a client begins with.
    static let opening = preface + "000000 04 00 00000000"
}

extension FrameExample {
    static let sound: [FrameExample] = opened + content + sections + others

    private static let opened = [
        FrameExample("3.4: nothing has come", whole: ""),
        FrameExample("3.4: the preface", whole: preface),
        FrameExample("3.4: the preface and SETTINGS", ""),
        FrameExample(
            "3.4: SETTINGS with values come first", whole: preface + "000006 04 00 00000000 0004 00010000",
            [.settings(PeerSettings(initialWindow: 65_536))]),
        FrameExample("4.1: a kind that is unknown changes nothing", "000003 0a ff 00000001 010203", [.ignored]),
        FrameExample("4.1: the last kind", "000000 ff 00 00000000", [.ignored]),
        FrameExample(
            "4.1: flags that are unknown mean nothing",
            "000001 00 f6 00000001 61 000008 06 fe 00000000 0102030405060708",
            [data(1, "a", length: 1, endsStream: false), .ping(0x0102_0304_0506_0708)]),
        FrameExample(
            "4.1: the highest bit of a stream means nothing", "000004 03 00 80000001 00000008",
            [.reset(stream: 1, wasRefused: false)]),
        FrameExample(
            "4.1: the last stream", "000004 03 00 7fffffff 00000008", [.reset(stream: 0x7FFF_FFFF, wasRefused: false)]),
        FrameExample("4.1: a header that is cut", "000004 03 00 000000"),
        FrameExample("4.1: a payload that is cut", "000004 03 00 00000001 000000"),
    ]

    private static let content = [
        FrameExample(
            "6.1: content", "000003 00 00 00000001 616263", [data(1, "abc", length: 3, endsStream: false)]),
        FrameExample(
            "6.1: the last content", "000001 00 01 00000003 61", [data(3, "a", length: 1, endsStream: true)]),
        FrameExample("6.1: no content", "000000 00 01 00000001", [data(1, "", length: 0, endsStream: true)]),
        FrameExample(
            "6.1: padding is taken off and counts", "000006 00 09 00000001 03 6162 000000",
            [data(1, "ab", length: 6, endsStream: true)]),
        FrameExample(
            "6.1: padding of no bytes", "000003 00 08 00000001 00 6162",
            [data(1, "ab", length: 3, endsStream: false)]),
        FrameExample(
            "6.1: nothing but padding", "000003 00 08 00000001 02 0000",
            [data(1, "", length: 3, endsStream: false)]),
        FrameExample(
            "6.1: nothing but its length", "000001 00 08 00000001 00",
            [data(1, "", length: 1, endsStream: false)]),
    ]

    private static func data(_ stream: UInt32, _ text: String, length: Int, endsStream: Bool) -> PeerFrame {
        .data(stream: stream, ByteBuffer(string: text), length: length, endsStream: endsStream)
    }

    private static let sections = [
        FrameExample(
            "6.2: a section", "000002 01 04 00000001 82 84", [.headers(stream: 1, endsStream: false)], lines: [get]),
        FrameExample(
            "6.2: of all there is", "000002 01 05 00000001 82 84", [.headers(stream: 1, endsStream: true)], lines: [get]
        ),
        FrameExample(
            "6.2: of no lines", "000000 01 04 00000001", [.headers(stream: 1, endsStream: false)], lines: [[]]),
        FrameExample(
            "6.2: padding is taken off", "000005 01 0c 00000001 02 82 84 ffff",
            [.headers(stream: 1, endsStream: false)], lines: [get]),
        FrameExample(
            "6.2: a priority is taken off", "000007 01 24 00000001 80000003 ff 82 84",
            [.headers(stream: 1, endsStream: false)], lines: [get]),
        FrameExample(
            "6.2: both are taken off", "000009 01 2d 00000001 01 80000003 ff 82 84 00",
            [.headers(stream: 1, endsStream: true)], lines: [get]),
        FrameExample(
            "6.2: a priority and no lines", "000007 01 2c 00000001 01 00000000 0f 00",
            [.headers(stream: 1, endsStream: false)], lines: [[]]),
        FrameExample(
            "6.10: a section of three frames, cut within a line",
            "000002 01 01 00000001 82 04 000001 09 00 00000001 02 000002 09 04 00000001 2f61",
            [.headers(stream: 1, endsStream: true)], lines: [[":method: GET", ":path: /a"]]),
        FrameExample(
            "6.10: frames of a section may be empty",
            "000000 01 00 00000001 000000 09 00 00000001 000002 09 00 00000001 82 84 000000 09 04 00000001",
            [.headers(stream: 1, endsStream: false)], lines: [get]),
        FrameExample(
            "6.10: padding and a priority are of the first frame alone",
            "000008 01 28 00000001 01 00000000 0f 82 00 000001 09 2d 00000001 84",
            [.headers(stream: 1, endsStream: false)], lines: [get]),
        FrameExample(
            "6.10: a section that is not all there", "000001 01 00 00000001 82 000001 09 00 00000001 84"),
        FrameExample(
            "4.3: a section is read by what was remembered of those before",
            "000006 01 05 00000001 82 40 0161 0162 000002 01 05 00000003 82 be",
            [.headers(stream: 1, endsStream: true), .headers(stream: 3, endsStream: true)],
            lines: [[":method: GET", "a: b"], [":method: GET", "a: b"]]),
        FrameExample(
            "8.1: trailers", "000002 01 04 00000001 82 84 000005 01 05 00000001 00 0161 0162",
            [.headers(stream: 1, endsStream: false), .headers(stream: 1, endsStream: true)], lines: [get, ["a: b"]]),
    ]

    private static let get = [":method: GET", ":path: /"]

    private static let others = [
        FrameExample("6.3: a priority changes nothing", "000005 02 00 00000001 80000003 ff", [.ignored]),
        FrameExample(
            "6.3: one of another length ends its stream",
            "000004 02 00 00000001 80000003 000006 02 00 00000003 000000000000",
            [.broken(stream: 1, .frameSizeError), .broken(stream: 3, .frameSizeError)]),
        FrameExample(
            "6.4: a stream that is reset", "000004 03 00 00000005 00000008", [.reset(stream: 5, wasRefused: false)]),
        FrameExample(
            "6.4: for a reason that is unknown", "000004 03 ff 00000005 ffffffff",
            [.reset(stream: 5, wasRefused: false)]),
        FrameExample("6.5: SETTINGS that are acknowledged", "000000 04 01 00000000", [.settingsAcknowledged]),
        FrameExample(
            "6.5.2: a table's size", "000006 04 00 00000000 0001 00000000",
            [.settings(PeerSettings(resizesTable: true))]),
        FrameExample("6.5.2: no push", "000006 04 00 00000000 0002 00000000", [.settings(PeerSettings())]),
        FrameExample("6.5.2: push", "000006 04 00 00000000 0002 00000001", [.settings(PeerSettings())]),
        FrameExample(
            "6.5.2: streams", "000006 04 00 00000000 0003 ffffffff", [.settings(PeerSettings(mostStreams: 0xFFFF_FFFF))]
        ),
        FrameExample(
            "6.5.2: no window", "000006 04 00 00000000 0004 00000000", [.settings(PeerSettings(initialWindow: 0))]),
        FrameExample(
            "6.5.2: the largest window", "000006 04 00 00000000 0004 7fffffff",
            [.settings(PeerSettings(initialWindow: 0x7FFF_FFFF))]),
        FrameExample(
            "6.5.2: the smallest of largest frames", "000006 04 00 00000000 0005 00004000",
            [.settings(PeerSettings())]),
        FrameExample(
            "6.5.2: the largest of them", "000006 04 00 00000000 0005 00ffffff", [.settings(PeerSettings())]),
        FrameExample("6.5.2: a head's bytes", "000006 04 00 00000000 0006 00000000", [.settings(PeerSettings())]),
        FrameExample(
            "6.5.2: what is unknown changes nothing", "00000c 04 00 00000000 0000 ffffffff 0a0a ffffffff",
            [.settings(PeerSettings())]),
        FrameExample(
            "6.5.3: the last value of several", "000012 04 00 00000000 0004 00000001 0001 00000000 0004 00000002",
            [.settings(PeerSettings(initialWindow: 2, resizesTable: true))]),
        FrameExample("6.7: a ping", "000008 06 00 00000000 ffeeddccbbaa9988", [.ping(0xFFEE_DDCC_BBAA_9988)]),
        FrameExample("6.7: one that is answered", "000008 06 01 00000000 0000000000000000", [.pingAnswered]),
        FrameExample("6.8: a client that goes", "000008 07 00 00000000 00000000 00000000", [.goAway(lastStream: 0)]),
        FrameExample(
            "6.8: and says why", "00000b 07 00 00000000 7fffffff ffffffff 627965", [.goAway(lastStream: 0x7FFF_FFFF)]),
        FrameExample(
            "6.9: room on the connection", "000004 08 00 00000000 00000001", [.windowUpdate(stream: 0, increment: 1)]),
        FrameExample(
            "6.9: room on a stream, and a bit that means nothing", "000004 08 00 00000001 ffffffff",
            [.windowUpdate(stream: 1, increment: 0x7FFF_FFFF)]),
        FrameExample(
            "6.9: no room ends its stream", "000004 08 00 00000001 00000000 000004 08 00 00000003 80000000",
            [.broken(stream: 1, .protocolError), .broken(stream: 3, .protocolError)]),
    ]
}
