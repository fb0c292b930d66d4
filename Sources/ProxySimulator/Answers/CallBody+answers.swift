/// Texts and vectors, in OpenAI's shapes (https://platform.openai.com/docs/api-reference).
extension CallBody {
    func usage(_ completion: Int) -> String {
        #""usage":{"prompt_tokens":\#(promptTokens),"completion_tokens":\#(completion),"#
            + #""total_tokens":\#(promptTokens + completion)}"#
    }

    /// The answer with what it tells of tokens.
    /// - Parameter isAlwaysTold: also in a stream that was not asked to.
    func telling(_ answer: Answer, completion: Int, isAlwaysTold: Bool = false) -> Answer {
        var answer = answer
        if !isStreamed || includesUsage || isAlwaysTold {
            answer.usage = SimulatedUsage(promptTokens: promptTokens, completionTokens: completion)
        }
        return answer
    }

    // MARK: Chat

    func chatAnswer(to call: Call) -> Answer {
        if let wanted, let tool = wanted.tool { return toolCallAnswer(to: call, tool, wanted) }
        let count = wordCount(call.script)
        let head = #""id":"chatcmpl-\#(call.number)","created":\#(created),"model":\#(model.quoted)"#
        guard isStreamed else {
            let message = #"{"role":"assistant","content":\#(text(call.script).quoted),"refusal":null}"#
            return .json(
                #"{\#(head),"object":"chat.completion","choices":[{"index":0,"message":\#(message),"#
                    + #""logprobs":null,"finish_reason":"stop"}],\#(usage(count)),"system_fingerprint":"fp_sim"}"#)
        }
        let chunk = #"{\#(head),"object":"chat.completion.chunk","system_fingerprint":"fp_sim""#
        let unknownUsage = includesUsage ? #","usage":null"# : ""
        @Sendable func event(_ delta: String, _ reason: String) -> String {
            #"\#(chunk),"choices":[{"index":0,"delta":{\#(delta)},"finish_reason":\#(reason)}]\#(unknownUsage)}"#
        }
        let usage = usage(count)
        // The role, each word, the reason, and the usage when it is asked for.
        return .events(count: count + 2 + (includesUsage ? 1 : 0)) { index in
            switch index {
            case 0: event(#""role":"assistant","content":"""#, "null")
            case 1..<max(1, count + 1): event(#""content":\#(piece(index - 1).quoted)"#, "null")
            case count + 1: event("", #""stop""#)
            default: #"\#(chunk),"choices":[],\#(usage)}"#
            }
        }
    }

    // MARK: Completions

    func completionAnswer(to call: Call) -> Answer {
        let count = wordCount(call.script)
        let head =
            #"{"id":"cmpl-\#(call.number)","object":"text_completion","created":\#(created),"model":\#(model.quoted)"#
        @Sendable func choice(_ text: String, _ reason: String) -> String {
            #""choices":[{"text":\#(text.quoted),"index":0,"logprobs":null,"finish_reason":\#(reason)}]"#
        }
        guard isStreamed else {
            return .json(#"\#(head),\#(choice(Words.text(count), #""stop""#)),\#(usage(count))}"#)
        }
        let usage = usage(count)
        return .events(count: count + 1 + (includesUsage ? 1 : 0)) { index in
            switch index {
            case 0..<count: #"\#(head),\#(choice(Words.piece(index), "null"))}"#
            case count: #"\#(head),\#(choice("", #""stop""#))}"#
            default: #"\#(head),"choices":[],\#(usage)}"#
            }
        }
    }

    // MARK: Responses

    func responsesAnswer(to call: Call) -> Answer {
        let count = wordCount(call.script)
        let text = text(call.script)
        let part = #"{"type":"output_text","text":\#(text.quoted),"annotations":[]}"#
        let item =
            #"{"id":"msg_\#(call.number)","type":"message","role":"assistant","status":"completed","content":[\#(part)]}"#
        let usage =
            #""usage":{"input_tokens":\#(promptTokens),"input_tokens_details":{"cached_tokens":0},"output_tokens":"#
            + #"\#(count),"output_tokens_details":{"reasoning_tokens":0},"total_tokens":\#(promptTokens + count)}"#
        func response(_ status: String, _ output: String, _ usage: String) -> String {
            #"{"id":"resp_\#(call.number)","object":"response","created_at":\#(created),"status":"\#(status)","#
                + #""model":\#(model.quoted),"output":[\#(output)],"parallel_tool_calls":true,"tool_choice":"auto","#
                + #""tools":[],"error":null,"incomplete_details":null,"instructions":null,"metadata":{},"#
                + #""temperature":1.0,"top_p":1.0,\#(usage)}"#
        }
        let whole = response("completed", item, usage)
        guard isStreamed else { return .json(whole) }
        let begun = response("in_progress", "", #""usage":null"#)
        return .events(count: count + 2, isNamed: true) { index in
            switch index {
            case 0: Self.named("response.created", #""response":\#(begun)"#, index)
            case 1..<max(1, count + 1):
                Self.named(
                    "response.output_text.delta",
                    #""item_id":"msg_\#(call.number)","output_index":0,"content_index":0,"logprobs":[],"delta":"#
                        + piece(index - 1).quoted, index)
            default: Self.named("response.completed", #""response":\#(whole)"#, index)
            }
        }
    }

    private static func named(_ name: String, _ members: String, _ number: Int) -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\",\"sequence_number\":\(number),\(members)}\n\n"
    }

    // MARK: Embeddings

    func embeddingAnswer() -> Answer {
        let data = inputs.enumerated().map { index, text in
            #"{"object":"embedding","index":\#(index),"embedding":\#(vector(of: text))}"#
        }
        return .json(
            #"{"object":"list","data":[\#(data.joined(separator: ","))],"model":\#(model.quoted),"#
                + #""usage":{"prompt_tokens":\#(promptTokens),"total_tokens":\#(promptTokens)}}"#)
    }

    /// Numbers between -1 and 1 that only the text decides.
    private func vector(of text: String) -> String {
        let hash = ContentHash.of(text.utf8)
        let numbers = (0..<dimensions).map { index -> Float in
            let mixed = (hash &+ UInt64(index)) &* 0x9E37_79B9_7F4A_7C15
            return Float(Int32(truncatingIfNeeded: mixed >> 32)) / Float(Int32.max)
        }
        guard wantsBase64 else { return "[\(numbers.map { "\($0)" }.joined(separator: ","))]" }
        return numbers.base64LittleEndian.quoted
    }
}
