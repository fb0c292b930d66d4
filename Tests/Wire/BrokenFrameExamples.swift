import ProxyHTTP2

extension FrameExample {
    /// What a connection can't go on after.
    static let broken: [FrameExample] = brokenOpenings + brokenSections + brokenOthers + brokenSettings

    private static let brokenOpenings = [
        FrameExample("3.4: HTTP/1.1", whole: "474554202f20485454502f312e310d0a0d0a", fault: .protocolError),
        FrameExample("3.4: no preface", whole: "000000 04 00 00000000", fault: .protocolError),
        FrameExample("3.4: the preface in lower case", whole: "707269", fault: .protocolError),
        FrameExample(
            "3.4: another end of the preface", whole: "505249202a20485454502f322e300d0a0d0a534d0d0a0d0d",
            fault: .protocolError),
        FrameExample("3.4: no SETTINGS first", whole: preface + "000002 01 05 00000001 8284", fault: .protocolError),
        FrameExample(
            "3.4: a ping first", whole: preface + "000008 06 00 00000000 0000000000000000", fault: .protocolError),
        FrameExample("3.4: what is unknown first", whole: preface + "000000 0a 00 00000000", fault: .protocolError),
        FrameExample(
            "3.4: SETTINGS that are acknowledged first", whole: preface + "000000 04 01 00000000", fault: .protocolError
        ),
        FrameExample(
            "3.4: broken SETTINGS first", whole: preface + "000006 04 00 00000000 0005 00000000", fault: .protocolError),
        FrameExample("3.4: the preface twice", preface, fault: .frameSizeError),
        FrameExample(
            "4.2: a frame that is too long, by its header alone", "004001 00 00 00000001", fault: .frameSizeError),
        FrameExample("4.2: one of an unknown kind", "004001 0a 00 00000001", fault: .frameSizeError),
        FrameExample("4.2: the longest that can be said", "ffffff 04 00 00000000", fault: .frameSizeError),
        FrameExample(
            "4.2: one that is too long first", whole: preface + "004001 04 00 00000000", fault: .frameSizeError),
    ]

    private static let brokenSections =
        [
            FrameExample("6.2: a section of no stream", "000001 01 05 00000000 82", fault: .protocolError),
            FrameExample("6.2: of the stream's highest bit alone", "000001 01 05 80000000 82", fault: .protocolError),
            FrameExample("6.2: padding beyond the frame", "000002 01 0c 00000001 02 82", fault: .protocolError),
            FrameExample(
                "4.2: a section too short for its padding's length", "000000 01 0c 00000001", fault: .frameSizeError),
            FrameExample("4.2: too short for its priority", "000004 01 24 00000001 00000000", fault: .frameSizeError),
            FrameExample(
                "4.2: too short for its priority without its padding", "000006 01 2c 00000001 01 00000000 0f",
                fault: .frameSizeError),
            FrameExample("6.10: CONTINUATION of nothing", "000001 09 04 00000001 82", fault: .protocolError),
            FrameExample(
                "6.10: CONTINUATION of a whole section", "000001 01 04 00000001 82 000001 09 04 00000001 84",
                [.headers(stream: 1, endsStream: false)], lines: [[":method: GET"]], fault: .protocolError),
            FrameExample(
                "6.10: CONTINUATION of a section that was continued to its end",
                "000000 01 00 00000001 000001 09 04 00000001 82 000001 09 04 00000001 84",
                [.headers(stream: 1, endsStream: false)], lines: [[":method: GET"]], fault: .protocolError),
            FrameExample(
                "6.10: of another stream", "000001 01 00 00000001 82 000001 09 04 00000003 84", fault: .protocolError),
            FrameExample(
                "6.10: of no stream", "000001 01 00 00000001 82 000001 09 04 00000000 84", fault: .protocolError),
            FrameExample("4.3: index 0", "000001 01 05 00000001 80", fault: .compressionError),
            FrameExample("4.3: a line that is cut", "000003 01 05 00000001 00 0161", fault: .compressionError),
            FrameExample(
                "4.3: a line that is cut at the end of several frames",
                "000001 01 00 00000001 82 000002 09 04 00000001 04 02", fault: .compressionError),
            FrameExample("4.3: a table above our limit", "000003 01 05 00000001 3fe21f", fault: .compressionError),
            FrameExample(
                "4.3: what was remembered and is no longer",
                "000006 01 05 00000001 82 40 0161 0162 000003 01 05 00000003 20 82 be",
                [.headers(stream: 1, endsStream: true)], lines: [[":method: GET", "a: b"]], fault: .compressionError),
        ]
        + ["00 04", "01 04", "02 00", "03 00", "04 00", "04 01", "05 04", "06 00", "07 00", "08 00", "0a 00"].map {
            FrameExample(
                "6.10: within a section, a frame of kind and flags \($0)",
                "000001 01 00 00000001 82 000008 \($0) 00000001 0000000000000001", fault: .protocolError)
        }

    private static let brokenOthers = [
        FrameExample("6.1: content of no stream", "000001 00 00 00000000 61", fault: .protocolError),
        FrameExample("6.1: padding as long as the frame", "000003 00 08 00000001 03 6162", fault: .protocolError),
        FrameExample("6.1: padding beyond the frame", "000003 00 08 00000001 ff 6162", fault: .protocolError),
        FrameExample("6.1: padding of nothing", "000001 00 08 00000001 01", fault: .protocolError),
        FrameExample(
            "4.2: content too short for its padding's length", "000000 00 08 00000001", fault: .frameSizeError),
        FrameExample("6.3: a priority of no stream", "000005 02 00 00000000 00000003 ff", fault: .protocolError),
        FrameExample("6.3: a broken one of no stream", "000004 02 00 00000000 00000003", fault: .protocolError),
        FrameExample("6.4: no stream that is reset", "000004 03 00 00000000 00000008", fault: .protocolError),
        FrameExample("6.4: a reset that is too short", "000003 03 00 00000001 000000", fault: .frameSizeError),
        FrameExample("6.4: one that is too long", "000005 03 00 00000001 0000000000", fault: .frameSizeError),
        FrameExample("8.4: a promise of a client", "000005 05 04 00000001 00000002 82", fault: .protocolError),
        FrameExample("6.7: a ping of a stream", "000008 06 00 00000001 0000000000000000", fault: .protocolError),
        FrameExample("6.7: a ping that is too short", "000007 06 00 00000000 00000000000000", fault: .frameSizeError),
        FrameExample("6.7: one that is too long", "000009 06 00 00000000 000000000000000000", fault: .frameSizeError),
        FrameExample("6.7: an answer that is too short", "000000 06 01 00000000", fault: .frameSizeError),
        FrameExample("6.8: of a stream", "000008 07 00 00000001 00000000 00000000", fault: .protocolError),
        FrameExample("4.2: too short to say why", "000007 07 00 00000000 00000000 000000", fault: .frameSizeError),
        FrameExample("6.9: no room on the connection", "000004 08 00 00000000 00000000", fault: .protocolError),
        FrameExample(
            "6.9: none but for a bit that means nothing", "000004 08 00 00000000 80000000", fault: .protocolError),
        FrameExample("6.9: too short", "000003 08 00 00000001 000001", fault: .frameSizeError),
        FrameExample("6.9: too long", "000005 08 00 00000001 0000000001", fault: .frameSizeError),
        FrameExample(
            "5.4.1: nothing is read after a fault", "000004 08 00 00000001 00000005 000001 00 00 00000000 61",
            [.windowUpdate(stream: 1, increment: 5)], fault: .protocolError),
    ]

    private static let brokenSettings = [
        FrameExample("6.5: of a stream", "000000 04 00 00000001", fault: .protocolError),
        FrameExample("6.5: acknowledged, of a stream", "000000 04 01 00000001", fault: .protocolError),
        FrameExample("6.5: acknowledged, with values", "000006 04 01 00000000 0004 00000001", fault: .frameSizeError),
        FrameExample("6.5: a value that is cut", "000005 04 00 00000000 0004 000000", fault: .frameSizeError),
        FrameExample("6.5: more than a value", "000007 04 00 00000000 0004 00000001 00", fault: .frameSizeError),
        FrameExample("6.5.2: push neither 0 nor 1", "000006 04 00 00000000 0002 00000002", fault: .protocolError),
        FrameExample("6.5.2: a window that can't be", "000006 04 00 00000000 0004 80000000", fault: .flowControlError),
        FrameExample(
            "6.5.2: a largest frame that is too small", "000006 04 00 00000000 0005 00003fff", fault: .protocolError),
        FrameExample("6.5.2: one that is too large", "000006 04 00 00000000 0005 01000000", fault: .protocolError),
        FrameExample(
            "6.5.2: a broken value behind others", "00000c 04 00 00000000 0004 00000001 0005 00000000",
            fault: .protocolError),
    ]
}
