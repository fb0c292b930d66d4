/// What a request wants instead of words: a call of one of its tools, or JSON of a shape that it says.
struct WantedContent: Hashable, Sendable {
    /// The tool that is called; `nil` for JSON as the answer's text.
    let tool: String?
    /// The tool's arguments, or the text: JSON.
    let json: String
    /// ``json`` in the pieces in which streams give it.
    let pieces: [String]

    private init(tool: String?, json: String) {
        self.tool = tool
        self.json = json
        var rest = json[...]
        var pieces: [String] = []
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(8)))
            rest = rest.dropFirst(8)
        }
        self.pieces = pieces
    }

    /// A call of the first tool, in the shapes of OpenAI's chat or of Anthropic's messages; `nil` when the request has none, forbids them,
    /// or says what one gave.
    static func toolCall(of request: JSONValue) -> WantedContent? {
        guard let tool = request["tools"].list.first, wantsTool(request) else { return nil }
        // OpenAI's chat has name and schema one level below.
        let function = tool["function"].members.isEmpty ? tool : tool["function"]
        guard let name = function["name"].text else { return nil }
        let schema = function["parameters"].members.isEmpty ? function["input_schema"] : function["parameters"]
        let wanted = schema.members.isEmpty ? .object(["type": .text("object")]) : schema
        return WantedContent(tool: name, json: SchemaSample(of: wanted).text)
    }

    /// JSON in the form that OpenAI's chat or responses ask for; `nil` when they ask for text.
    static func structure(of request: JSONValue) -> WantedContent? {
        let format = request["response_format"].members.isEmpty ? request["text"]["format"] : request["response_format"]
        switch format["type"].text {
        case "json_schema":
            let inner = format["json_schema"]["schema"]
            return WantedContent(
                tool: nil, json: SchemaSample(of: inner.members.isEmpty ? format["schema"] : inner).text)
        case "json_object": return WantedContent(tool: nil, json: #"{"text":\#(Words.text(3).quoted)}"#)
        default: return nil
        }
    }

    private static func wantsTool(_ request: JSONValue) -> Bool {
        if request["tool_choice"].text == "none" || request["tool_choice"]["type"].text == "none" { return false }
        guard let last = request["messages"].list.last else { return true }
        return last["role"].text != "tool" && !last["content"].list.contains { $0["type"].text == "tool_result" }
    }
}

/// Calls of tools, in the shapes of those who ask for them.
extension CallBody {
    /// OpenAI's chat (https://platform.openai.com/docs/guides/function-calling).
    func toolCallAnswer(to call: Call, _ name: String, _ wanted: WantedContent) -> Answer {
        let head = #""id":"chatcmpl-\#(call.number)","created":\#(created),"model":\#(model.quoted)"#
        let count = wanted.pieces.count
        func function(_ arguments: String) -> String {
            #"{"id":"call_\#(call.number)","type":"function","function":{"name":\#(name.quoted),"arguments":\#(arguments.quoted)}}"#
        }
        guard isStreamed else {
            let message =
                #"{"role":"assistant","content":null,"refusal":null,"tool_calls":[\#(function(wanted.json))]}"#
            return .json(
                #"{\#(head),"object":"chat.completion","choices":[{"index":0,"message":\#(message),"#
                    + #""logprobs":null,"finish_reason":"tool_calls"}],\#(usage(count)),"system_fingerprint":"fp_sim"}"#
            )
        }
        let begun = #"{"index":0,"# + function("").dropFirst()
        let chunk = #"{\#(head),"object":"chat.completion.chunk","system_fingerprint":"fp_sim""#
        @Sendable func event(_ delta: String, _ reason: String) -> String {
            #"\#(chunk),"choices":[{"index":0,"delta":{\#(delta)},"finish_reason":\#(reason)}]}"#
        }
        let (pieces, usage) = (wanted.pieces, usage(count))
        return .events(count: count + 2 + (includesUsage ? 1 : 0)) { index in
            switch index {
            case 0: event(#""role":"assistant","content":null,"tool_calls":[\#(begun)]"#, "null")
            case 1...count where count > 0:
                event(#""tool_calls":[{"index":0,"function":{"arguments":\#(pieces[index - 1].quoted)}}]"#, "null")
            case count + 1: event("", #""tool_calls""#)
            default: #"\#(chunk),"choices":[],\#(usage)}"#
            }
        }
    }
}
