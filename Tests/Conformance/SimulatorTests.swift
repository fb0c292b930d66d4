import ProxyBlackBox
import Foundation
import ProxyConformance
import ProxySimulator
import Testing

/// What the simulator does, looked at byte by byte.
@Suite("The simulator", .timeLimit(.minutes(1)))
struct SimulatorTests {
    /// A simulator, and connections to it.
    private struct Bench {
        let simulator: Simulator

        func connect() async throws -> any RawConnection { try await SocketConnection.connect(port: simulator.port) }

        func get(_ path: String = "/v1/models", _ fields: [String: String] = [:]) async throws -> HTTPResponse {
            try await send("GET", path, nil, fields)
        }

        func chat(_ body: String, _ fields: [String: String] = [:]) async throws -> HTTPResponse {
            try await post("/v1/chat/completions", body, fields)
        }

        func post(_ path: String, _ body: String, _ fields: [String: String] = [:]) async throws -> HTTPResponse {
            try await send("POST", path, Array(body.utf8), fields)
        }

        private func send(
            _ method: String, _ path: String, _ body: [UInt8]?, _ fields: [String: String]
        ) async throws -> HTTPResponse {
            var conversation = HTTPConversation(try await connect())
            let fields = fields.map { HTTPField($0.key, $0.value) }
            try await conversation.send(HTTPRequest(method: method, target: path, fields: fields, body: body))
            let response = try await conversation.response(to: method)
            await conversation.connection.close()
            return response
        }

        /// Everything that comes after `text` until the end of the stream; `nil` when it was reset.
        func bytes(after text: String) async throws -> [UInt8]? {
            let connection = try await connect()
            try await connection.send(Array(text.utf8))
            var bytes: [UInt8] = []
            do {
                while true {
                    let more = try await connection.receive(atMost: 65_536, within: .seconds(30))
                    if more.isEmpty { break }
                    bytes += more
                }
            } catch ConnectionFailure.reset { return nil }
            await connection.close()
            return bytes
        }
    }

    private func with(
        _ recording: SimulatorRecording = .all, _ body: (Bench) async throws -> Void
    ) async throws {
        let simulator = try await Simulator.start(recording: recording)
        do { try await body(Bench(simulator: simulator)) } catch {
            try await simulator.stop()
            throw error
        }
        try await simulator.stop()
    }

    private static let streamed = #"{"model":"m","stream":true,"messages":[{"role":"user","content":"one two"}]}"#

    @Test func answersTheSameEachTime() async throws {
        try await with { bench in
            let first = try await bench.chat(#"{"model":"m","messages":[{"role":"user","content":"one two"}]}"#)
            #expect(first.status == 200 && first.json["model"].string == "m")
            #expect(first.json["usage"]["prompt_tokens"].integer == 2)
            #expect(first.json["usage"]["completion_tokens"].integer == 12)
            let second = try await bench.chat(#"{"model":"m","messages":[{"role":"user","content":"one two"}]}"#)
            #expect(second.text == first.text.replacing("chatcmpl-1", with: "chatcmpl-2"))
        }
    }

    @Test func streamsAWordAnEventAndTheUsageWhenAsked() async throws {
        try await with { bench in
            let plain = try await bench.chat(Self.streamed, ["X-Sim-Chunks": "3"])
            // The role, three words, the reason, and the end.
            #expect(plain.text.components(separatedBy: "\n\n").count == 7 && plain.text.hasSuffix("data: [DONE]\n\n"))
            let asked = Self.streamed.replacing("\"model\"", with: #""stream_options":{"include_usage":true},"model""#)
            let counted = try await bench.chat(asked, ["X-Sim-Chunks": "3"])
            #expect(counted.text.contains(#""usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}"#))
        }
    }

    @Test(arguments: ["/v1/chat/completions", "/v1/responses"], ["0", "-1"])
    func streamsNoWordsWhereNoneAreWanted(path: String, most: String) async throws {
        try await with { bench in
            let response = try await bench.post(
                path, #"{"stream":true,"max_tokens":\#(most),"max_output_tokens":\#(most),"messages":[],"input":"x"}"#)
            #expect(response.status == 200 && response.end == .complete && !response.text.contains("delta\":\"lorem"))
            #expect(try await bench.chat("{}").status == 200, "it still serves")
        }
    }

    @Test func callsTheToolThatItIsGiven() async throws {
        let schema =
            ##"{"type":"object","properties":{"place":{"type":"string"},"days":{"$ref":"#/$defs/N"},"sure":{"enum":["no","yes"]}},"$defs":{"N":{"type":"integer"}}}"##
        let arguments = #"{\"days\":3,\"place\":\"the quiet river\",\"sure\":\"no\"}"#
        let tools = #""tools":[{"type":"function","function":{"name":"weather","parameters":\#(schema)}}]"#
        try await with { bench in
            let asked = try await bench.chat(#"{"messages":[{"role":"user","content":"Hi"}],\#(tools)}"#)
            #expect(asked.text.contains(#""finish_reason":"tool_calls""#) && asked.text.contains(#""content":null"#))
            #expect(asked.text.contains(#""name":"weather","arguments":""#))
            #expect(asked.text.contains(arguments))
            let streamed = try await bench.chat(
                #"{"stream":true,"messages":[{"role":"user","content":"Hi"}],\#(tools)}"#)
            #expect(streamed.text.contains(#"{"index":0,"id":"call_2","type":"function""#))
            let told = #"{"messages":[{"role":"tool","tool_call_id":"call_1","content":"sunny"}],\#(tools)}"#
            #expect(try await bench.chat(told).text.contains(#""finish_reason":"stop""#))
            let forbidden = #"{"tool_choice":"none","messages":[],\#(tools)}"#
            #expect(try await bench.chat(forbidden).text.contains(#""finish_reason":"stop""#))
            let format = #""response_format":{"type":"json_schema","json_schema":{"schema":\#(schema)}}"#
            #expect(try await bench.chat(#"{"messages":[],\#(format)}"#).text.contains(#""content":"\#(arguments)""#))
        }
    }

    @Test func doesBatchesButNoneWithinThem() async throws {
        try await with { bench in
            func upload(_ lines: String) async throws -> String {
                let boundary = "b"
                let body =
                    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n\(lines)\r\n--b--\r\n"
                let kind = ["Content-Type": "multipart/form-data; boundary=\(boundary)"]
                return try await bench.post("/v1/files", body, kind).json["id"].string ?? ""
            }
            func order(_ file: String, _ endpoint: String) async throws -> HTTPResponse {
                try await bench.post("/v1/batches", #"{"input_file_id":"\#(file)","endpoint":"\#(endpoint)"}"#)
            }
            let chat = "/v1/chat/completions"
            let line = #"{"custom_id":"one","url":"\#(chat)","body":{"stream":true,"messages":[]}}"#
            let made = try await order(try await upload(line + "\n" + line), chat)
            #expect(made.json["status"].string == "completed" && made.json["request_counts"]["total"].integer == 2)
            let output = try await bench.get("/v1/files/\(made.json["output_file_id"].string ?? "")/content")
            #expect(output.text.contains(#""custom_id":"one","response":{"status_code":200"#))
            let nested = try await upload(#"{"custom_id":"one","url":"/v1/batches","body":{"input_file_id":"file-1"}}"#)
            #expect(try await order(nested, "/v1/batches").status == 400)
            let other = try await order(nested, chat)
            #expect(other.status == 400 && other.text.contains("Line 1"))
        }
    }

    /// A schema that refers to itself many times over has an answer all the same, and soon.
    @Test func samplesOfASchemaAreBounded() async throws {
        let node = #"{"type":"object","properties":{"a":{"$ref":"N"},"b":{"$ref":"N"},"c":{"$ref":"N"}}}"#
        let schema = #"{"$ref":"N","$defs":{"N":\#(node)}}"#
        let format = #""response_format":{"type":"json_schema","json_schema":{"schema":\#(schema)}}"#
        try await with { bench in
            let answer = try await bench.chat(#"{"messages":[],\#(format)}"#)
            #expect(answer.status == 200 && answer.text.count < 200_000)
        }
    }

    @Test func failsAsOftenAsItIsAskedTo() async throws {
        try await with { bench in
            func statuses(_ body: String, _ fields: [String: String], times: Int) async throws -> [Int] {
                var statuses: [Int] = []
                for _ in 0..<times { statuses.append(try await bench.chat(body, fields).status) }
                return statuses
            }
            let two = ["X-Sim-Failures": "2"]
            #expect(try await statuses("{}", two, times: 4) == [503, 503, 200, 200])
            let other = try await statuses(#"{"n":1}"#, two, times: 1)
            #expect(other == [503], "another content")
            let limited = ["X-Sim-Failures": "1", "X-Sim-Status": "429"]
            #expect(try await statuses(#"{"n":2}"#, limited, times: 2) == [429, 200])
        }
    }

    @Test(arguments: ["auto", "length", "chunked", "trailers", "close", "http10"], ["1", "7", "100000"])
    func givesTheSameContentInEveryFraming(framing: String, writeSize: String) async throws {
        try await with { bench in
            let fields = ["X-Sim-Framing": framing, "X-Sim-Body-Size": "100", "X-Sim-Write-Size": writeSize]
            let response = try await bench.get("/v1/x", fields)
            #expect(response.end == .complete && ContentHash.of(response.body) == GeneratedBody.hash(count: 100))
        }
    }

    @Test func refusesADirectiveItDoesNotKnow() async throws {
        try await with { bench in
            for (name, value) in [("X-Sim-Nonsense", "1"), ("X-Sim-Delay", "soon"), ("X-Sim-Fault", "none")] {
                let response = try await bench.get("/v1/models", [name: value])
                #expect(response.status == 400 && response.text.lowercased().contains(name.lowercased()))
            }
        }
    }

    @Test func answersAsItsScriptsSayThenAsUsual() async throws {
        try await with { bench in
            var script = SimulatorScript()
            script.status = 503
            script.retryAfter = 7
            bench.simulator.script(script, path: "/v1/models", times: 2)
            for status in [503, 503, 200] { #expect(try await bench.get().status == status) }
            let interim = try await bench.get("/v1/models", ["X-Sim-Interim": "100,103"])
            #expect(interim.interim.map(\.status) == [100, 103] && interim.status == 200)
            #expect(try await bench.chat("echo", ["X-Sim-Echo": "1"]).text == "echo")
        }
    }

    @Test(arguments: SimulatorFault.allCases)
    func doesWhatEachFaultSays(fault: SimulatorFault) async throws {
        try await with { bench in
            let request =
                "GET /v1/x HTTP/1.1\r\nHost: x\r\nX-Sim-Body-Size: 100\r\nX-Sim-Fault: \(fault.rawValue)\r\n\r\n"
            let last = request.replacing("Host", with: "Connection: close\r\nHost")
            switch fault {
            case .hang, .hangAfterHead, .hangInBody:
                let connection = try await bench.connect()
                try await connection.send(Array(request.utf8))
                if fault != .hang {
                    #expect(try await !connection.receive(atMost: 65_536, within: .seconds(30)).isEmpty, "it closed")
                }
                var silence = false
                while !silence {
                    do {
                        let more = try await connection.receive(atMost: 65_536, within: .milliseconds(100))
                        #expect(fault != .hang && !more.isEmpty, "it did not hang")
                        if more.isEmpty { break }
                    } catch ConnectionFailure.timedOut { silence = true }
                }
                #expect(silence)
                await connection.close()
            case .endlessHead:
                let connection = try await bench.connect()
                try await connection.send(Array(request.utf8))
                var count = 0
                while count < 1 << 20 {
                    count += try await connection.receive(atMost: 65_536, within: .seconds(30)).count
                }
                await connection.close()
            case .resetBeforeHead, .resetAfterHead, .resetInBody: #expect(try await bench.bytes(after: request) == nil)
            case .extraAfterAnswer:
                let text = try await bench.bytes(after: last)
                #expect(text.map { String(decoding: $0, as: UTF8.self) }?.hasSuffix("\r\n\r\nextra") == true)
            default:
                let bytes = try #require(try await bench.bytes(after: fault == .closeAfterAnswer ? request : last))
                #expect(Self.shows(fault, String(decoding: bytes, as: UTF8.self)), "\(bytes.count) bytes")
            }
        }
    }

    private static func shows(_ fault: SimulatorFault, _ text: String) -> Bool {
        switch fault {
        case .closeBeforeHead: text.isEmpty
        case .closeInHead: text.hasPrefix("HTTP/1.1 200") && !text.contains("\r\n\r\n")
        case .closeInBody: text.contains("Content-Length: 100") && text.hasSuffix("abcdefghijklmnopqrstuvwx")
        case .garbage: !text.contains("HTTP/1.1")
        case .lengthTooLong: text.contains("Content-Length: 110")
        case .lengthTooShort: text.contains("Content-Length: 90")
        case .bothLengths: text.contains("Content-Length: 100\r\nTransfer-Encoding: chunked")
        case .twoLengths: text.contains("Content-Length: 100\r\nContent-Length: 101")
        case .badChunkSize: text.contains("zz\r\n")
        case .noLastChunk: text.contains("\r\n64\r\n") && !text.contains("\r\n0\r\n")
        case .bareLineFeeds: text.hasPrefix("HTTP/1.1 200 OK\nContent-Type")
        case .foldedField: text.contains("X-Folded: one\r\n two")
        case .spaceBeforeColon: text.contains("X-Spaced :")
        case .nulInField: text.contains("one\0two")
        case .badStatus: text.hasPrefix("HTTP/1.1 20 ")
        case .closeAfterAnswer: text.contains("Content-Length: 100") && !text.contains("Connection: close")
        default: false
        }
    }

    @Test func keepsWhatItReceived() async throws {
        try await with { bench in
            _ = try await bench.chat(Self.streamed, ["X-Kept": "as it came"])
            let request = try #require(bench.simulator.received.first)
            #expect(request.method == "POST" && request.target == "/v1/chat/completions" && request.isComplete)
            #expect(request.values(of: "x-kept") == ["as it came"])
            #expect(
                request.bodyHash == ContentHash.of(Self.streamed.utf8) && request.bodyCount == Self.streamed.utf8.count)
            #expect(bench.simulator.truth.requestsByPath == ["/v1/chat/completions": 1])
            // It counts an answer once it has given it away.
            #expect(try await eventually { bench.simulator.truth.completedAnswers == 1 })
            bench.simulator.clear()
            #expect(bench.simulator.received.isEmpty && bench.simulator.truth.requests == 0)
        }
    }

    @Test func sendsNoMoreThanIsTaken() async throws {
        try await with(.off) { bench in
            let connection = try await bench.connect()
            try await connection.send(
                Array("GET /x HTTP/1.1\r\nHost: x\r\nX-Sim-Body-Size: 1099511627776\r\n\r\n".utf8))
            var count = 0
            while count < 1 << 20 { count += try await connection.receive(atMost: 65_536, within: .seconds(30)).count }
            await connection.reset()
            #expect(try await eventually { bench.simulator.truth.abandonedRequests == 1 })
            #expect(bench.simulator.truth.bytesSent < 1 << 26)
        }
    }
}
