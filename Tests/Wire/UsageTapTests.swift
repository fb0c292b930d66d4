import WireFixtures
import ProxyWire
import Testing

/// A body as providers send it, and what must be read off it.
struct UsageCase: Sendable, CustomStringConvertible {
    let id: String
    let body: String
    let usage: ReportedUsage?
    let model: String?

    init(_ id: String, _ body: String, usage: (Int64, Int64)?, model: String?) {
        self.id = id
        self.body = body
        self.usage = usage.map { ReportedUsage(promptTokens: $0.0, completionTokens: $0.1) }
        self.model = model
    }

    var description: String { id }
}

private let chunk =
    #"data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"delta":{"content":"hi"}}],"usage":null}"#
    + "\n\n"

let usageCases: [UsageCase] = [
    UsageCase("nothing", "", usage: nil, model: nil),
    UsageCase("no JSON", "<html>\"usage\": 5</html>", usage: nil, model: nil),
    UsageCase(
        "a chat answer",
        #"{"id":"x","model":"gpt-4o-2024","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"#
            + #""prompt_tokens_details":{"cached_tokens":0,"input_tokens":5}},"system_fingerprint":"fp"}"#,
        usage: (9, 12), model: "gpt-4o-2024"),
    UsageCase(
        "a pretty-printed answer",
        "{\n  \"model\" : \"m\",\n  \"usage\" :\n {\n    \"prompt_tokens\" : 1 ,\n    \"completion_tokens\": 2\n  }\n}\n",
        usage: (1, 2), model: "m"),
    UsageCase(
        "embeddings", #"{"data":[{"embedding":[0.1,-2e-3]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
        usage: (8, 0), model: "e"),
    UsageCase("usage null", #"{"model":"m","usage":null}"#, usage: nil, model: "m"),
    UsageCase("a stream without usage", chunk + "data: [DONE]\n\n", usage: nil, model: "gpt-4o"),
    UsageCase(
        "a stream with usage, nulls before and after",
        chunk + #"data: {"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"# + "\n\n"
            + chunk
            + "data: [DONE]\n\n", usage: (3, 4), model: "gpt-4o"),
    UsageCase(
        "running usage in each event: the last wins",
        (1...5).map { "data: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":\($0)}}\n\n" }.joined(),
        usage: (3, 5), model: nil),
    UsageCase(
        "the Responses API",
        "event: response.created\n" + #"data: {"type":"response.created","response":{"model":"o3","usage":null}}"#
            + "\n\n"
            + "event: response.completed\n"
            + #"data: {"type":"response.completed","response":{"model":"o3","usage":{"input_tokens":7,"output_tokens":8,"total"#
            + #"_tokens":15},"user":null}}"# + "\n\n", usage: (7, 8), model: "o3"),
    UsageCase(
        "Anthropic's answer",
        #"{"model":"claude","content":[{"text":"x"}],"usage":{"input_tokens":10,"cache_read_input_tokens":2,"output_tokens":5}}"#,
        usage: (10, 5), model: "claude"),
    UsageCase(
        "Anthropic's stream: input first, output last",
        "event: message_start\n"
            + #"data: {"type":"message_start","message":{"model":"claude","usage":{"input_tokens":25,"output_tokens":1}}}"#
            + "\n\nevent: message_delta\n"
            + #"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}"#
            + "\n\n" + #"data: {"type":"message_stop"}"# + "\n\n", usage: (25, 15), model: "claude"),
    UsageCase(
        "keys in strings fool nobody",
        #"{"id":"\"model\":\"no\"","model":"yes","usage":{"prompt_tokens":1,"completion_tokens":1},"#
            + #""text":"say \"usage\":{\"prompt_tokens\":99,\"completion_tokens\":99} \\"}"#, usage: (1, 1),
        model: "yes"),
    UsageCase(
        "a name as a value is no key", #"{"object":"model","x":["usage","model"],"model":"m","kind":"usage"}"#,
        usage: nil,
        model: "m"),
    UsageCase(
        "further out wins over later",
        #"{"usage":{"prompt_tokens":1,"completion_tokens":2},"meta":{"usage":{"prompt_tokens":8,"completion_tokens":8}}}"#,
        usage: (1, 2), model: nil),
    UsageCase(
        "further out in the same event",
        #"data: {"usage":{"prompt_tokens":9,"completion_tokens":9}}"# + "\n\n"
            + #"data: {"r":{"usage":{"prompt_tokens":1,"completion_tokens":2},"m":[{"usage":{"prompt_tokens":8}}]},"x":"}}\"]"}"#
            + "\n\n", usage: (1, 2), model: nil),
    UsageCase("escapes", #"{"model":"a\/b\u00e4\ud83d\ude00\n\"x\\"}"#, usage: nil, model: "a/bä😀\n\"x\\"),
    UsageCase("a model that is no string", #"{"model":5,"x":{"model":"m"}}"#, usage: nil, model: "m"),
    UsageCase(
        "counts that are none", #"{"usage":{"prompt_tokens":-1,"completion_tokens":1.5}}"#, usage: nil, model: nil),
    UsageCase("too large a count", #"{"usage":{"prompt_tokens":9223372036854775808}}"#, usage: nil, model: nil),
    UsageCase(
        "the largest count", #"{"usage":{"prompt_tokens":9223372036854775807,"completion_tokens":0}}"#,
        usage: (.max, 0), model: nil),
    UsageCase("broken off", #"{"model":"m","usage":{"prompt_tokens":12,"completion_tokens":3"#, usage: nil, model: "m"),
    UsageCase(
        "a usage that is something else", #"{"usage":{"disk":5},"usage_x":{"prompt_tokens":1}}"#, usage: nil, model: nil
    ),
]

@Suite struct UsageTapTests {
    private func read(_ pieces: [ArraySlice<UInt8>], into tap: inout UsageTap) {
        for piece in pieces { piece.withUnsafeBytes { tap.observe($0) } }
    }

    @Test(arguments: usageCases)
    func usageAndModelAreReadAlikeHoweverTheBodyIsCut(_ sample: UsageCase) {
        let body = Array(sample.body.utf8)
        var tap = UsageTap()
        for cuts in everyCut(of: body) {
            tap.reset()
            read(body.pieces(at: cuts), into: &tap)
            #expect(tap.usage == sample.usage, "at \(cuts)")
            #expect(tap.model == sample.model, "at \(cuts)")
        }
    }

    @Test(arguments: [1, 2, 63, 64, 65, 100, 1000])
    func theTailIsExactHoweverItTurns(piece: Int) {
        let end = #"data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}"# + "\n\n"
        for before in 0..<200 {
            let body = Array((String(repeating: ".", count: before) + end).utf8)
            for tailBytes in [end.utf8.count, end.utf8.count - 7, 64] {
                var tap = UsageTap(tailBytes: tailBytes, headBytes: 16)
                read(body.pieces(at: Array(stride(from: piece, to: body.count, by: piece))), into: &tap)
                // Without "data: {" and one byte more the key is cut.
                #expect((tap.usage != nil) == (tailBytes >= end.utf8.count - 7), "\(before) \(tailBytes)")
                var cut = UsageTap(tailBytes: end.utf8.count - 8, headBytes: 16)
                read([body[...]], into: &cut)
                #expect(cut.usage == nil)
            }
        }
    }

    @Test func aLongBodyIsReadFromItsEnds() {
        var tap = UsageTap()
        read([Array(#"{"model":"first","embedding":["#.utf8)[...]], into: &tap)
        let numbers = Array(String(repeating: "0.123456,", count: 5000).utf8)
        for _ in 0..<20 { read([numbers[...]], into: &tap) }
        read([Array(#"0],"usage":{"prompt_tokens":5,"total_tokens":5}}"#.utf8)[...]], into: &tap)
        #expect(tap.model == "first")
        #expect(tap.usage == ReportedUsage(promptTokens: 5, completionTokens: 0))
        tap.reset()
        #expect(tap.model == nil && tap.usage == nil)
    }

    @Test func aModelBehindALongPromptIsReadFromTheTail() {
        var tap = UsageTap(tailBytes: 128, headBytes: 32)
        let body = #"{"instructions":""# + String(repeating: "x", count: 500) + #"","model":"late"}"#
        read([Array(body.utf8)[...]], into: &tap)
        #expect(tap.model == "late")
    }

    @Test func anyBytesAreOnlyLookedAt() {
        let seed = runSeed()
        var random = SeededRandom(seed)
        var tap = UsageTap(tailBytes: 300, headBytes: 50)
        let parts = [
            "\"usage\"", ":", "{", "}", "\"prompt_tokens\"", "\"model\"", "1", ",", "\"", "\\", "\\u12", "\n", "[", "]",
            "data: ",
            "\\ud83d", "-", "null", " ",
        ]
        for _ in rounds(3000) {
            tap.reset()
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                read([Array((parts.randomElement(using: &random) ?? "").utf8)[...]], into: &tap)
            }
            _ = (tap.usage, tap.model)
        }
    }
}
