import FoundationEssentials

/// What of a JSON request the answers depend on. Members of other types than OpenAI's count as absent.
struct CallBody: Decodable {
    var model = "gpt-4o-mini"
    var isStreamed = false
    var includesUsage = false
    /// Tokens of all text that was sent.
    var promptTokens = 0
    /// Texts to be embedded; at least one.
    var inputs = [""]
    var wantsBase64 = false
    var dimensions = 8
    var maxTokens: Int?
    /// A call of a tool, and JSON of a shape, where they are asked for.
    private var toolCall: WantedContent?
    private var structure: WantedContent?
    /// What is wanted instead of words.
    private(set) var wanted: WantedContent?

    private enum Key: String, CodingKey {
        case model, stream, messages, prompt, input, dimensions, tools, text
        case responseFormat = "response_format"
        case streamOptions = "stream_options"
        case encodingFormat = "encoding_format"
        case maxTokens = "max_tokens"
        case maxCompletionTokens = "max_completion_tokens"
    }

    private struct StreamOptions: Decodable {
        let include_usage: Bool?
    }

    private struct Message: Decodable {
        let content: Text?
    }

    /// A text, a list of texts, or a list of parts with texts.
    private enum Text: Decodable {
        case one(String)
        case many([String])

        private struct Part: Decodable {
            let text: String?
            let content: String?
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .one(text)
            } else if let texts = try? container.decode([String].self) {
                self = .many(texts)
            } else {
                self = .many(try container.decode([Part].self).compactMap { $0.text ?? $0.content })
            }
        }

        var texts: [String] {
            switch self {
            case .one(let text): [text]
            case .many(let texts): texts
            }
        }
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        func value<Value: Decodable>(_ type: Value.Type, _ key: Key) -> Value? {
            (try? container.decodeIfPresent(type, forKey: key)) ?? nil
        }
        model = value(String.self, .model) ?? model
        isStreamed = value(Bool.self, .stream) ?? false
        includesUsage = value(StreamOptions.self, .streamOptions)?.include_usage ?? false
        let input = value(Text.self, .input)?.texts
        let texts =
            (value([Message].self, .messages) ?? []).flatMap { $0.content?.texts ?? [] }
            + (value(Text.self, .prompt)?.texts ?? []) + (input ?? [])
        promptTokens = texts.reduce(0) { $0 + Words.tokens(in: $1) }
        if let input, !input.isEmpty { inputs = input }
        wantsBase64 = value(String.self, .encodingFormat) == "base64"
        dimensions = min(max(value(Int.self, .dimensions) ?? dimensions, 1), 4096)
        maxTokens = value(Int.self, .maxCompletionTokens) ?? value(Int.self, .maxTokens)
        guard [.tools, .responseFormat, .text].contains(where: container.contains) else { return }
        let whole = try JSONValue(from: decoder)
        (toolCall, structure) = (.toolCall(of: whole), .structure(of: whole))
    }

    /// Reads a body; `nil` when it is no JSON object.
    static func read(_ bytes: [UInt8]) -> CallBody? {
        try? JSONDecoder().decode(CallBody.self, from: Data(bytes))
    }

    /// The same for an endpoint that knows of these.
    func wanting(tools: Bool, structure isKnown: Bool) -> CallBody {
        var body = self
        body.wanted = (tools ? toolCall : nil) ?? (isKnown ? structure : nil)
        return body
    }

    /// How many words, or other pieces, an answer has: as the request wants it, as the script says, else as the request bounds it.
    func wordCount(_ script: SimulatorScript) -> Int {
        wanted?.pieces.count ?? script.chunkCount
            ?? min(maxTokens.map { max(0, $0) } ?? Words.usualCount, Words.usualCount)
    }

    /// The answer's text.
    func text(_ script: SimulatorScript) -> String { wanted?.json ?? Words.text(wordCount(script)) }

    /// Piece number `index` of it in a stream.
    func piece(_ index: Int) -> String { wanted?.pieces[index] ?? Words.piece(index) }
}
