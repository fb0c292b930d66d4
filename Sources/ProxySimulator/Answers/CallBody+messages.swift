/// Texts in Anthropic's shapes (https://docs.anthropic.com/en/api/messages).
extension CallBody {
    func messagesAnswer(to call: Call) -> Answer {
        let count = wordCount(call.script)
        func message(_ content: String, _ reason: String, output: Int) -> String {
            #"{"id":"msg_\#(call.number)","type":"message","role":"assistant","model":\#(model.quoted),"#
                + #""content":[\#(content)],"stop_reason":\#(reason),"stop_sequence":null,"#
                + #""usage":{"input_tokens":\#(promptTokens),"output_tokens":\#(output)}}"#
        }
        let tool = wanted?.tool
        let reason = tool == nil ? #""end_turn""# : #""tool_use""#
        func use(_ input: String) -> String {
            #"{"type":"tool_use","id":"toolu_\#(call.number)","name":\#((tool ?? "").quoted),"input":\#(input)}"#
        }
        guard isStreamed else {
            let text = text(call.script)
            let block = tool == nil ? #"{"type":"text","text":\#(text.quoted)}"# : use(text)
            return .json(message(block, reason, output: count))
        }
        let begun = message("", "null", output: 0)
        let block = tool == nil ? #"{"type":"text","text":""}"# : use("{}")
        return .events(count: count + 5, isNamed: true) { index in
            switch index {
            case 0: Self.event("message_start", #""message":\#(begun)"#)
            case 1: Self.event("content_block_start", #""index":0,"content_block":\#(block)"#)
            case 2..<count + 2:
                Self.event(
                    "content_block_delta",
                    tool == nil
                        ? #""index":0,"delta":{"type":"text_delta","text":\#(piece(index - 2).quoted)}"#
                        : #""index":0,"delta":{"type":"input_json_delta","partial_json":\#(piece(index - 2).quoted)}"#)
            case count + 2: Self.event("content_block_stop", #""index":0"#)
            case count + 3:
                Self.event(
                    "message_delta",
                    #""delta":{"stop_reason":\#(reason),"stop_sequence":null},"usage":{"output_tokens":\#(count)}"#)
            default: Self.event("message_stop", "")
            }
        }
    }

    private static func event(_ name: String, _ members: String) -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\"\(members.isEmpty ? "" : ",")\(members)}\n\n"
    }
}
