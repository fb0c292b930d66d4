/// Texts in Anthropic's shapes (https://docs.anthropic.com/en/api/messages).
extension CallBody {
    func messagesAnswer(to call: Call) -> Answer {
        let count = wordCount(call.script)
        func message(_ content: String, _ reason: String, output: Int) -> String {
            #"{"id":"msg_\#(call.number)","type":"message","role":"assistant","model":\#(model.quoted),"#
                + #""content":[\#(content)],"stop_reason":\#(reason),"stop_sequence":null,"#
                + #""usage":{"input_tokens":\#(promptTokens),"output_tokens":\#(output)}}"#
        }
        guard isStreamed else {
            let text = #"{"type":"text","text":\#(Words.text(count).quoted)}"#
            return .json(message(text, #""end_turn""#, output: count))
        }
        let begun = message("", "null", output: 0)
        return .events(count: count + 5, isNamed: true) { index in
            switch index {
            case 0: Self.event("message_start", #""message":\#(begun)"#)
            case 1: Self.event("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#)
            case 2..<count + 2:
                Self.event(
                    "content_block_delta",
                    #""index":0,"delta":{"type":"text_delta","text":\#(Words.piece(index - 2).quoted)}"#)
            case count + 2: Self.event("content_block_stop", #""index":0"#)
            case count + 3:
                Self.event(
                    "message_delta",
                    #""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":\#(count)}"#)
            default: Self.event("message_stop", "")
            }
        }
    }

    private static func event(_ name: String, _ members: String) -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\"\(members.isEmpty ? "" : ",")\(members)}\n\n"
    }
}
