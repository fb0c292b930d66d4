import NIOCore
import ProxyDomain
import ProxyManagement
import ProxyStorage
import Synchronization
import Testing

@Suite struct ManagementTests {
    @Test func aProjectShowsItsKeyOnlyByHint() async throws {
        let bench = try ManagementBench()
        let body = #"{"name":"docs","api_key":"\#(ManagementBench.apiKey)"}"#
        let created = await bench.send("POST", "/manage/projects", body)
        let id = created.object["id"] as? String ?? ""
        #expect(created.status == 201 && created.field("Location") == "/manage/projects/\(id)")
        #expect(created.field("Cache-Control") == "no-store")
        let shown = await bench.send("GET", "/manage/projects/\(id)")
        #expect(shown.text == created.text)
        #expect(shown.object["api_key"] as? String == "sk-…cdef" && shown.object["provider"] as? String == "openai")
        #expect(shown.object["is_active"] as? Bool == true)
        #expect(!shown.text.contains(ManagementBench.apiKey) && !shown.text.contains("sealed"))
        let twin = await bench.send("POST", "/manage/projects", body)
        #expect(twin.status == 409 && twin.code == "already_exists" && twin.explanation.contains("'name'"))
    }

    @Test func aProjectIsChangedAndItsTokensRevokedTogether() async throws {
        let bench = try ManagementBench()
        let id = await bench.newProject()
        _ = await bench.newToken(of: id)
        #expect(bench.changes == 0)
        let change = #"{"name":"new","api_key":"other","is_active":false,"revoke_tokens":true}"#
        let changed = await bench.send("PATCH", "/manage/projects/\(id)", change)
        #expect(changed.status == 200 && changed.object["name"] as? String == "new" && bench.changes == 1)
        #expect(changed.object["is_active"] as? Bool == false && changed.object["deactivated_at"] is String)
        #expect(await bench.send("GET", "/manage/tokens").list.first?["is_active"] as? Bool == false)
        _ = await bench.newToken(of: id)
        let summary = await bench.send("POST", "/manage/projects/\(id)/tokens/revoke")
        #expect(
            summary.object as? [String: Int] == [
                "revoked_count": 1, "already_revoked_count": 1, "total_tokens": 2, "failed_count": 0,
            ])
        #expect(bench.changes == 2)
    }

    @Test func aTokenIsShownOnceAndThenByHint() async throws {
        let bench = try ManagementBench()
        let created = await bench.newToken(of: await bench.newProject(), #","duration_minutes":2,"max_requests":5"#)
        #expect(created.status == 201 && created.field("Cache-Control") == "no-store")
        let secret = created.object["token"] as? String ?? ""
        #expect(TokenSecret(secret) != nil)
        #expect(bench.storage.content.withLock { $0.digests.keys.map(\.text) } == ["digest of \(secret)"])
        #expect(created.object["expires_at"] as? String == "2026-11-18T11:08:40.000Z")
        #expect(created.object["max_requests"] as? Int == 5)
        let id = created.object["id"] as? String ?? ""
        let shown = await bench.send("GET", "/manage/tokens/\(id)")
        #expect(shown.object["token"] as? String == TokenSecret(secret)?.hint)
        #expect(shown.object["is_active"] as? Bool == true)
        bench.pass(.seconds(120))
        #expect(await bench.send("GET", "/manage/tokens/\(id)").object["is_active"] as? Bool == false)
    }

    @Test func aTokenIsRevokedAndReactivatedWithItsCounters() async throws {
        let bench = try ManagementBench()
        let id = await bench.newToken(of: await bench.newProject()).object["id"] as? String ?? ""
        bench.storage.content.withLock { content in
            for key in content.tokens.keys {
                content.tokens[key]?.requestCount = 7
                content.tokens[key]?.cost = NanoDollars(1_234_500_000)
            }
        }
        for _ in 0..<2 {
            let deleted = await bench.send("DELETE", "/manage/tokens/\(id)")
            #expect(deleted.status == 204 && deleted.response.contentLength == nil && deleted.text.isEmpty)
        }
        #expect(bench.changes == 2)
        #expect(await bench.send("GET", "/manage/tokens?active=false").list.count == 1)
        let active = await bench.send("PATCH", "/manage/tokens/\(id)", #"{"is_active":true,"name":"x"}"#)
        #expect(active.object["is_active"] as? Bool == true && active.object["request_count"] as? Int == 7)
        #expect(active.text.contains(#""cost_usd":1.2345"#))
        #expect(
            await bench.send("PATCH", "/manage/tokens/\(id)", #"{"is_active":false}"#).object["revoked_at"] is String)
        let missing = await bench.send("DELETE", "/manage/tokens/019ab000-0000-7000-8000-000000000000")
        #expect(missing.status == 404 && missing.code == "token_not_found")
    }

    @Test func aTokenTellsWhatIsTakenUpOfItsLimitsAtTheMoment() async throws {
        let bench = try ManagementBench()
        let limits = #""max_requests":5,"limits":{"requests_per_minute":3,"tokens_per_minute":100}"#
        let made = await bench.newToken(of: await bench.newProject(), #","never_expires":true,\#(limits)"#)
        let path = "/manage/tokens/\(made.object["id"] as? String ?? "")"
        func use(_ used: Int, _ remaining: Int, _ free: String? = nil) -> String {
            let instant = free.map { #""\#($0)""# } ?? "null"
            return #"{"used":\#(used),"remaining":\#(remaining),"free_at":\#(instant)}"#
        }
        func told(_ cap: String, _ requests: String, _ tokens: String) -> String {
            #""consumption":{"max_requests":\#(cap),"requests_per_minute":\#(requests),"tokens_per_minute":\#(tokens)}"#
        }
        #expect(made.text.contains(told(use(0, 5), use(0, 3), use(0, 100))))
        let now = bench.world.now.withLock { $0 }
        bench.storage.content.withLock { content in
            for key in content.tokens.keys {
                content.tokens[key]?.requestCount = 4
                content.tokens[key]?.requestWindow.add(3, at: now)
                content.tokens[key]?.tokenWindow.add(40, at: now)
            }
        }
        let full = told(use(4, 1), use(3, 0, "2026-11-18T11:07:41.000Z"), use(40, 60))
        #expect(await bench.send("GET", path).text.contains(full))
        bench.pass(.milliseconds(60_999))
        #expect(await bench.send("GET", path).text.contains(full))
        bench.pass(.milliseconds(1))
        #expect(await bench.send("GET", path).text.contains(told(use(4, 1), use(0, 3), use(0, 100))))
        #expect(await bench.send("GET", "/manage/tokens").text.contains(told(use(4, 1), use(0, 3), use(0, 100))))
    }

    @Test func anExpiryCanBeMovedAndTakenAway() async throws {
        let bench = try ManagementBench()
        let until = #","expires_at":"2030-01-01T02:00:00+02:00""#
        let created = await bench.newToken(of: await bench.newProject(), until)
        let path = "/manage/tokens/\(created.object["id"] as? String ?? "")"
        #expect(created.object["expires_at"] as? String == "2030-01-01T00:00:00.000Z")
        let moved = await bench.send("PATCH", path, #"{"expires_at":"2031-01-01T00:00:00Z"}"#)
        #expect(moved.object["expires_at"] as? String == "2031-01-01T00:00:00.000Z")
        #expect(await bench.send("PATCH", path, #"{"max_requests":0}"#).object["expires_at"] is String)
        #expect(await bench.send("PATCH", path, #"{"never_expires":true}"#).text.contains(#""expires_at":null"#))
    }

    @Test func aListIsReadPageByPage() async throws {
        let bench = try ManagementBench()
        let project = await bench.newProject()
        _ = await bench.newToken(of: await bench.newProject("other"))
        for _ in 0..<4 {
            bench.pass(.milliseconds(1))
            _ = await bench.newToken(of: project)
        }
        var target = "/manage/tokens?limit=2&projectId=\(project)&active=true"
        var seen: [String] = []
        for remaining in [true, false] {
            let page = await bench.send("GET", target)
            seen += page.list.compactMap { $0["id"] as? String }
            let link = page.field("Link") ?? ""
            #expect(!link.isEmpty == remaining && (!remaining || link.hasSuffix(#">; rel="next""#)))
            target = String(link.dropFirst().prefix { $0 != ">" })
        }
        #expect(seen.count == 4 && Set(seen).count == 4 && seen == seen.sorted())
        #expect(await bench.send("GET", "/manage/projects?limit=1000").list.count == 2)
        #expect(await bench.send("GET", "/manage/projects").field("Link") == nil)
        #expect(await (try ManagementBench()).send("GET", "/manage/projects").text == "[]\n")
    }

    @Test func requestsAreShownWithWhatIsKnownOfThem() async throws {
        let bench = try ManagementBench()
        let now = bench.world.now.withLock { $0 }
        let token = TokenID(Identifier(high: 1, low: 1))
        for low in 1...3 as ClosedRange<UInt64> {
            let end = Settlement(
                outcome: .clientLeft, status: 200, settledAt: now, durationMicroseconds: 1500,
                sentMicroseconds: 250, firstByteMicroseconds: nil,
                usage: TokenUsage(promptTokens: 3, completionTokens: 4), cost: NanoDollars(5), model: "m")
            let id = RequestID(Identifier(high: 2, low: low))
            let admission = Admission(
                requestID: id, tokenID: token, projectID: ProjectID(Identifier(high: 3, low: 0)), admittedAt: now,
                method: "POST", path: "/v1/x", settlement: low == 1 ? end : nil)
            bench.storage.content.withLock { $0.requests[id] = RequestRecord(admission: admission) }
        }
        let list = await bench.send("GET", "/manage/requests?limit=1&token_id=\(token.text)")
        #expect(list.list.count == 1 && list.list[0]["outcome"] as? String == "client_left")
        #expect(list.text.contains(#""cost_usd":0.000000005"#) && list.text.contains(#""first_byte_us":null"#))
        #expect(list.text.contains(#""sent_us":250"#))
        #expect(list.field("Link")?.contains("token_id=\(token.text)") == true)
        let open = await bench.send("GET", "/manage/requests/\(RequestID(Identifier(high: 2, low: 2)).text)")
        #expect(open.status == 200 && open.text.contains(#""outcome":null"#) && open.text.contains(#""sent_us":null"#))
        let none = await bench.send("GET", "/manage/requests/\(RequestID(Identifier(high: 9, low: 9)).text)")
        #expect(none.status == 404 && none.code == "request_not_found")
    }

    @Test(arguments: [
        (StorageError.Kind.unavailable, 503, "database_unavailable", "1"), (.full, 503, "database_full", "10"),
        (.readOnly, 503, "database_read_only", "10"), (.corrupt, 500, "database_damaged", ""),
        (.interrupted, 503, "interrupted", "1"), (.engine, 500, "internal_error", ""),
        (.alreadyExists(field: "name"), 409, "already_exists", ""), (.notFound, 404, "project_not_found", ""),
    ])
    func aStorageErrorIsAnsweredWithoutTheEnginesWords(
        _ kind: StorageError.Kind, _ status: Int, _ code: String, _ retry: String
    ) async throws {
        let bench = try ManagementBench()
        let id = await bench.newProject()
        bench.storage.content.withLock { $0.failure = kind }
        let reply = await bench.send("PATCH", "/manage/projects/\(id)", #"{"name":"n"}"#)
        #expect(reply.status == status && reply.code == code && reply.field("Retry-After") ?? "" == retry)
        #expect(!reply.text.contains("secret detail") && bench.changes == 0)
    }
}
