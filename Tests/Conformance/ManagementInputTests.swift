import NIOCore
import ProxyManagement
import Synchronization
import Testing

@Suite struct ManagementInputTests {
    struct Fault: CustomTestStringConvertible, Sendable {
        let body: String
        let code: String
        let named: String
        init(_ body: String, _ code: String, _ named: String) {
            (self.body, self.code, self.named) = (body, code, named)
        }
        var testDescription: String { String(body.prefix(60)) }
    }

    static let projectFaults = [
        Fault("", "invalid_json", "empty"), Fault("{", "invalid_json", "name in quotes"),
        Fault("[]", "invalid_json", "object"), Fault("null", "invalid_json", "object"),
        Fault(#"{"name":"a"} x"#, "invalid_json", "follows"),
        Fault(#"{"name":"a",}"#, "invalid_json", "name in quotes"),
        Fault(#"{"name":01}"#, "invalid_json", "','"), Fault(#"{"name":tru}"#, "invalid_json", "value"),
        Fault(#"{"name":"a"#, "invalid_json", "does not end"), Fault("{\"name\":\"a\nb\"}", "invalid_json", "control"),
        Fault(#"{"name":"\ud800"}"#, "invalid_json", "surrogate"), Fault(#"{"name":"\x"}"#, "invalid_json", "escape"),
        Fault(#"{"name":"\u12g4"}"#, "invalid_json", "hexadecimal"), Fault("\u{FEFF}{}", "invalid_json", "value"),
        Fault(String(repeating: "[", count: 30_000), "invalid_json", "deep"),
        Fault(#"{"name":\#(String(repeating: #"{"a":"#, count: 9_000))"#, "invalid_json", "deep"),
        Fault(#"{"name":"a","name":"b","api_key":"k"}"#, "invalid_field", "'name' is given twice"),
        Fault(#"{"api_key":"k"}"#, "missing_field", "'name'"), Fault(#"{"name":"a"}"#, "missing_field", "'api_key'"),
        Fault(#"{"name":null,"api_key":"k"}"#, "missing_field", "'name'"),
        Fault(#"{"name":1,"api_key":"k"}"#, "invalid_field", "'name' must be a string, not a number"),
        Fault(#"{"name":"","api_key":"k"}"#, "invalid_field", "1 to 200"),
        Fault(#"{"name":"  ","api_key":"k"}"#, "invalid_field", "blank"),
        Fault(#"{"name":"\#(String(repeating: "é", count: 201))","api_key":"k"}"#, "invalid_field", "1 to 200"),
        Fault(#"{"name":"a\u0000","api_key":"k"}"#, "invalid_field", "control characters"),
        Fault(#"{"name":"a\u0085","api_key":"k"}"#, "invalid_field", "control characters"),
        Fault(#"{"name":"a","api_key":"k\nX-Evil: 1"}"#, "invalid_field", "'api_key'"),
        Fault(#"{"name":"a","api_key":""}"#, "invalid_field", "'api_key'"),
        Fault(#"{"name":"a","api_key":["k"]}"#, "invalid_field", "an array"),
        Fault(#"{"name":"a","api_key":"k","provider":"acme"}"#, "invalid_field", "local, openai"),
        Fault(#"{"name":"a","api_key":"k","nmae":"b"}"#, "unknown_field", "'nmae'"),
        Fault(
            #"{"name":"a","api_key":"k","limits":{"requests_per_minute":1}}"#, "unknown_field",
            "'limits.requests_per_minute'"),
        Fault(#"{"name":"a","api_key":"k","allowed_models":[""]}"#, "invalid_field", "names of models"),
        Fault(#"{"name":"a","api_key":"k","allowed_models":"gpt-4o"}"#, "invalid_field", "a list of at most 100 names"),
        Fault(#"{"name":"a","api_key":"k","allowed_models":["a\nb"]}"#, "invalid_field", "names of models"),
        Fault(#"{"name":"a","api_key":"k","allowed_paths":["v1"]}"#, "invalid_field", "the first segments of paths"),
        Fault(#"{"name":"a","api_key":"k","allowed_paths":["/v1/*"]}"#, "invalid_field", "without wildcards"),
        Fault(
            #"{"name":"a","api_key":"k","allowed_paths":["/v1/../x"]}"#, "invalid_field", "the first segments of paths"),
        Fault(#"{"name":"a","api_key":"k","base_url":"ftp://x"}"#, "invalid_field", "an http or https address"),
    ]

    @Test(arguments: projectFaults)
    func aFaultyProjectIsRefusedByName(_ fault: Fault) async throws {
        let bench = try ManagementBench()
        let reply = await bench.send("POST", "/manage/projects", fault.body)
        #expect(reply.status == 400 && reply.code == fault.code, "\(reply.text)")
        #expect(reply.explanation.contains(fault.named), "\(reply.text)")
        #expect(reply.field("Content-Type") == "application/json")
        #expect(bench.storage.content.withLock { $0.projects.isEmpty })
    }

    static let tokenFaults = [
        Fault("", "missing_field", "exactly one of"),
        Fault(#","never_expires":false"#, "missing_field", "exactly one of"),
        Fault(#","duration_minutes":null"#, "missing_field", "exactly one of"),
        Fault(#","duration_minutes":0"#, "invalid_field", "1 to 525600"),
        Fault(#","duration_minutes":525601"#, "invalid_field", "1 to 525600"),
        Fault(#","duration_minutes":-1"#, "invalid_field", "'duration_minutes'"),
        Fault(#","duration_minutes":1.0"#, "invalid_field", "without fraction"),
        Fault(#","duration_minutes":1e2"#, "invalid_field", "without fraction"),
        Fault(#","duration_minutes":99999999999999999999"#, "invalid_field", "'duration_minutes'"),
        Fault(#","duration_minutes":"60""#, "invalid_field", "not a string"),
        Fault(
            #","duration_minutes":5,"never_expires":true"#, "invalid_field", "'never_expires' must not be sent beside"),
        Fault(#","expires_at":"2099-01-01T00:00:00Z","duration_minutes":5"#, "invalid_field", "'expires_at'"),
        Fault(#","expires_at":"2001-01-01T00:00:00Z""#, "invalid_field", "later than now"),
        Fault(#","expires_at":"2099-02-30T00:00:00Z""#, "invalid_field", "RFC 3339"),
        Fault(#","expires_at":"tomorrow""#, "invalid_field", "RFC 3339"),
        Fault(#","expires_at":4e9"#, "invalid_field", "string"),
        Fault(#","never_expires":"true""#, "invalid_field", "true or false"),
        Fault(#","never_expires":true,"max_requests":-1"#, "invalid_field", "'max_requests'"),
        Fault(#","never_expires":true,"max_requests":9007199254740992"#, "invalid_field", "'max_requests'"),
        Fault(#","never_expires":true,"max_requests":true"#, "invalid_field", "a boolean"),
        Fault(#","never_expires":true,"name":"\u001b[31m""#, "invalid_field", "control"),
        Fault(#","never_expires":true,"is_active":true"#, "unknown_field", "'is_active'"),
        Fault(#","never_expires":true,"allowed_paths":[7]"#, "invalid_field", "the first segments of paths"),
        Fault(#","never_expires":true,"limits":7"#, "invalid_field", "'limits'"),
        Fault(
            #","never_expires":true,"limits":{"requests_per_minute":0}"#, "invalid_field",
            "'limits.requests_per_minute'"),
        Fault(#","never_expires":true,"limits":{"requests_per_minute":"9"}"#, "invalid_field", "a string"),
        Fault(
            #","never_expires":true,"limits":{"requests_per_hour":9}"#, "unknown_field", "'limits.requests_per_hour'"),
        Fault(#","never_expires":true,"limits":{"budget_usd":0}"#, "invalid_field", "'limits.budget_usd'"),
        Fault(#","never_expires":true,"limits":{"budget_usd":"9"}"#, "invalid_field", "a string"),
        Fault(#","never_expires":true,"limits":{"budget_usd":1e2}"#, "invalid_field", "'limits.budget_usd'"),
        Fault(#","never_expires":true,"limits":{"budget_usd":0.0000000001}"#, "invalid_field", "9 decimals"),
        Fault(#","never_expires":true,"limits":{"budget_period":"day"}"#, "invalid_field", "'limits.budget_period'"),
        Fault(
            #","never_expires":true,"limits":{"budget_usd":9,"budget_period":"week"}"#, "invalid_field",
            "none, day, month"),
        Fault(
            #","never_expires":true,"limits":{"budget_usd":9,"shadow":["tokens_per_minute"]}"#, "invalid_field",
            "'limits.shadow'"),
    ]

    @Test(arguments: tokenFaults)
    func aFaultyTokenIsRefusedByName(_ fault: Fault) async throws {
        let bench = try ManagementBench()
        let reply = await bench.newToken(of: await bench.newProject(), fault.body)
        #expect(reply.status == 400 && reply.code == fault.code, "\(reply.text)")
        #expect(reply.explanation.contains(fault.named), "\(reply.text)")
        #expect(bench.storage.content.withLock { $0.tokens.isEmpty })
    }

    @Test func aTokenOfNoProjectIsRefused() async throws {
        let bench = try ManagementBench()
        let none = await bench.newToken(of: "019ab000-0000-7000-8000-000000000000")
        #expect(none.status == 404 && none.code == "project_not_found")
        for odd in ["", "p", "019ab000-0000-7000-8000-00000000000", "019ab000+0000-7000-8000-000000000000"] {
            let reply = await bench.newToken(of: odd)
            #expect(reply.status == 400 && reply.explanation.contains("'project_id'"), "\(odd)")
        }
    }

    @Test func aBodyThatIsNotMarkedAsPlainJSONIsRefused() async throws {
        let bench = try ManagementBench()
        let body = #"{"name":"a","api_key":"k"}"#
        func status(_ fields: (name: String, value: String)...) async -> Int {
            await bench.send("POST", "/manage/projects", body, fields: fields).status
        }
        #expect(await status() == 415)
        #expect(await status(("Content-Type", "application/x-www-form-urlencoded")) == 415)
        #expect(await status(("Content-Type", "application/jsonx")) == 415)
        #expect(await status(("Content-Type", "application/json"), ("Content-Encoding", "gzip")) == 415)
        #expect(await status(("Content-Type", "application/json"), ("content-type", "text/plain")) == 415)
        #expect(await status(("content-type", "Application/JSON ;charset=UTF-8")) == 201)
    }

    @Test func aBodyThatIsTooLargeOrNotUTF8IsRefused() async throws {
        let bench = try ManagementBench()
        let size = Management.maximumBodyBytes
        let large = await bench.send("POST", "/manage/projects", String(repeating: " ", count: size + 1))
        #expect(large.status == 413 && large.code == "request_too_large")
        #expect(await bench.send("POST", "/manage/projects", String(repeating: " ", count: size)).status == 400)
        let broken = Array(#"{"name":""#.utf8) + [0xC3, 0x28] + Array(#"","api_key":"k"}"#.utf8)
        let reply = await bench.send("POST", "/manage/projects", bytes: broken)
        #expect(reply.status == 400 && reply.explanation.contains("UTF-8"))
        let overlong = Array(#"{"name":""#.utf8) + [0xC0, 0x80] + Array(#"","api_key":"k"}"#.utf8)
        #expect(await bench.send("POST", "/manage/projects", bytes: overlong).status == 400)
    }

    @Test func textIsReadAsJSONSaysAndWrittenBack() async throws {
        let bench = try ManagementBench()
        let name = #"\u00e9 \ud83d\ude00 \"q\" \\ \/ é"#
        let reply = await bench.send("POST", "/manage/projects", #"{"name":"\#(name)","api_key":"k"}"#)
        #expect(reply.object["name"] as? String == #"é 😀 "q" \ / é"#)
    }

    @Test(arguments: [
        "limit=0", "limit=1001", "limit=-1", "limit=+5", "limit=1.5", "limit=", "limit=99999999999999999999",
        "cursor=x", "cursor=", "limit=1&limit=2", "colour=red", "active=1", "active=", "project_id=7",
        "projectId=%", "projectId=%zz", "project_id=%ff", "%ff=1",
        "project_id=019ab000-0000-7000-8000-000000000000&projectId=019ab000-0000-7000-8000-000000000000",
    ])
    func aFaultyQueryIsRefused(_ query: String) async throws {
        let reply = await (try ManagementBench()).send("GET", "/manage/tokens?\(query)")
        #expect(reply.status == 400, "\(reply.text)")
        #expect(["invalid_field", "unknown_field"].contains(reply.code))
    }

    @Test func aFaultyIdentifierInThePathIsRefused() async throws {
        let bench = try ManagementBench()
        for path in ["/manage/projects/x", "/manage/tokens/%31", "/manage/requests/1"] {
            let reply = await bench.send("GET", path)
            #expect(reply.status == 400 && reply.code == "invalid_field", "\(path)")
        }
        #expect(await bench.send("GET", "/manage/requests?token_id=x").code == "invalid_field")
        #expect(await bench.send("GET", "/manage/projects/019ab000-0000-7000-8000-000000000000?x=1").status == 400)
    }

    @Test func aChangeOfNothingIsRefused() async throws {
        let bench = try ManagementBench()
        let project = await bench.newProject()
        let token = await bench.newToken(of: project).object["id"] as? String ?? ""
        for body in ["{}", #"{"name":null}"#] {
            #expect(await bench.send("PATCH", "/manage/projects/\(project)", body).code == "nothing_to_change")
            #expect(await bench.send("PATCH", "/manage/tokens/\(token)", body).code == "nothing_to_change")
        }
        let endless = await bench.send("PATCH", "/manage/tokens/\(token)", #"{"expires_at":null}"#)
        #expect(endless.status == 400 && endless.explanation.contains("never_expires"))
        #expect(await bench.send("PATCH", "/manage/tokens/\(token)", #"{"request_count":0}"#).code == "unknown_field")
        let past = await bench.send("PATCH", "/manage/tokens/\(token)", #"{"expires_at":"2001-01-01T00:00:00Z"}"#)
        #expect(past.status == 400)
    }
}
