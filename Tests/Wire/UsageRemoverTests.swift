import WireFixtures
import NIOCore
import ProxyWire
import Testing

/// A stream that was asked for usage, and what it is without.
struct RemovalCase: Sendable, CustomStringConvertible {
    let description: String
    let stream: String
    let without: String

    init(_ description: String, _ stream: String, _ without: String? = nil) {
        self.description = description
        self.stream = stream
        self.without = without ?? stream
    }
}

private let removals: [RemovalCase] = [
    RemovalCase("nothing", ""),
    RemovalCase("no usage", "data: {\"choices\":[{}]}\n\ndata: [DONE]\n\n"),
    RemovalCase(
        "null at the end, then the event of usage alone",
        "data: {\"choices\":[{\"i\":0}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{\"a\":1}}\n\ndata: [DONE]\n\n",
        "data: {\"choices\":[{\"i\":0}]}\n\ndata: [DONE]\n\n"),
    RemovalCase(
        "with CR LF",
        "data: {\"choices\":[{}] , \"usage\" : null }\r\n\r\ndata: {\"choices\":[ ],\"usage\":{}}\r\n\r\ndata: x\r\n\r\n",
        "data: {\"choices\":[{}]  }\r\n\r\ndata: x\r\n\r\n"),
    RemovalCase(
        "with CR", "data: {\"choices\":[{}],\"usage\":null}\r\rdata: {\"choices\":[],\"usage\":{}}\r\rdata: x\r\r",
        "data: {\"choices\":[{}]}\r\rdata: x\r\r"),
    RemovalCase(
        "first of the members", "data:{\"usage\": null, \"choices\":[{}]}\n\n", "data:{\"choices\":[{}]}\n\n"),
    RemovalCase("in the middle", "data: {\"a\":1,\"usage\":null,\"b\":2}\n\n", "data: {\"a\":1,\"b\":2}\n\n"),
    RemovalCase(
        "empty lines after the event of usage alone",
        "data: {\"choices\":[],\"usage\":{\"a\":1}}\n\n\n\ndata: [DONE]\n", "\n\ndata: [DONE]\n"),
    RemovalCase("alone", "data: {\"usage\":null}\n\n", "data: {}\n\n"),
    RemovalCase("usage beside a choice", "data: {\"choices\":[{\"d\":\"x\"}],\"usage\":{\"prompt_tokens\":1}}\n\n"),
    RemovalCase(
        "in other fields and comments",
        ": \"usage\":1\nevent: usage\nid: 1\ndata: {\"choices\":[],\"usage\":{}}\n\n: end\n\n",
        ": end\n\n"),
    RemovalCase("deeper, and in a text", "data: {\"a\":{\"usage\":null},\"b\":\"\\\"usage\\\":null\"}\n\n"),
    RemovalCase("over two lines", "data: {\"choices\":[],\ndata: \"usage\":{}}\n\n"),
    RemovalCase("no JSON", "data: {\"usage\":null\n\ndata: \"usage\"\n\n"),
    RemovalCase(
        "an event without its end", "data: {\"usage\":null}\n\ndata: {\"usage\":null}",
        "data: {}\n\ndata: {\"usage\":null}"),
]

struct UsageRemoverTests {
    @Test("takes out what only the asking brought, cut anywhere", arguments: removals)
    func removes(each: RemovalCase) {
        let bytes = Array(each.stream.utf8)
        for cut in 0...bytes.count {
            #expect(Self.pass([bytes[..<cut], bytes[cut...]]) == each.without, "cut at \(cut)")
        }
        #expect(Self.pass(bytes.indices.map { bytes[$0...$0] }) == each.without, "byte by byte")
    }

    @Test func letsEventsPassThatAreTooLargeToBeHeld() {
        let large =
            "data: {\"a\":\"" + String(repeating: "x", count: UsageRemover.largest + 8192) + "\",\"usage\":null}\n\n"
        let bytes = Array((large + "data: {\"usage\":null}\n\n").utf8)
        #expect(
            Self.pass(stride(from: 0, to: bytes.count, by: 4096).map { bytes[$0..<min($0 + 4096, bytes.count)] })
                == large + "data: {}\n\n")
    }

    private static func pass(_ pieces: [ArraySlice<UInt8>]) -> String {
        var remover = UsageRemover()
        var out = ByteBuffer()
        for piece in pieces { piece.withUnsafeBytes { remover.pass($0, into: &out) } }
        remover.finish(into: &out)
        return String(buffer: out)
    }

    /// Bodies, and what they are when usage is asked for; `nil` for those that stay as they are.
    @Test(
        arguments: [
            (#"{"stream":true}"#, #"{"stream_options":{"include_usage":true},"stream":true}"#),
            (#" { "a":1,"stream" : true}"#, #" {"stream_options":{"include_usage":true}, "a":1,"stream" : true}"#),
            (#"{"stream":true,"stream_options":null}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#),
            (#"{"stream":true,"stream_options":{}}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#),
            (
                #"{"stream":true,"stream_options":{"x":1}}"#,
                #"{"stream":true,"stream_options":{"include_usage":true,"x":1}}"#
            ),
            (
                #"{"stream_options":{"include_usage": false },"stream":true}"#,
                #"{"stream_options":{"include_usage": true },"stream":true}"#
            ),
            (#"{"stream":true,"stream_options":{"include_usage":true}}"#, nil),
            (#"{"stream":true,"stream_options":{"include_usage":"yes"}}"#, nil),
            (#"{"stream":true,"stream_options":7}"#, nil),
            (#"{"stream":true,"stream_options":{},"stream_options":{}}"#, nil),
            (#"{"stream":false}"#, nil), (#"{"stream":1}"#, nil), ("{}", nil), (#"{"a":{"stream":true}}"#, nil),
        ] as [(String, String?)])
    func asksForUsage(body: String, asking: String?) throws {
        let changed = Array(body.utf8).withUnsafeBytes { RequestOutline(of: $0)?.askingForUsage($0) }
        #expect(changed.map { String(decoding: $0, as: UTF8.self) } == asking)
    }
}
