import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What is held, for how long, and how it is given.
    static let cacheStore: [HTTPScenario] = [
        HTTPScenario(
            inside: "cache.stale.is-validated",
            "A stale answer with a validator is given again when the upstream says that it holds; the client sees a 304 only if it asked for one."
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            world.upstream.script(
                cacheable(
                    "Cache-Control: public, max-age=0\r\nETag: \"v1\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                ))
            check.usual(try await world.exchange(get), "first")
            world.upstream.script(
                UpstreamStep.readRequest
                    + [
                        .send(
                            text:
                                "HTTP/1.1 304 Not Modified\r\nCache-Control: public, max-age=60\r\nETag: \"v1\"\r\n\r\n"
                        )
                    ])
            let second = try await world.exchange(get)
            check.usual(second, "validated")
            check.equal(
                second.fields.first("cache-status"), "llm-proxy; fwd=stale; fwd-status=304", "status of the validated")
            let asked = world.upstream.received.last
            check.equal(asked?.fields.all("if-none-match"), ["\"v1\""], "asked by tag")
            check.equal(asked?.fields.all("if-modified-since"), ["Thu, 01 Jan 2026 00:00:00 GMT"], "asked by date")
            check.usual(try await world.exchange(get), "fresh again")
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream")
            check.equal(try await world.settledTally(tenant, rows: 3), Tally(3), "tally")
            check.equal(try await world.storage.token(tenant.tokenID).cacheHitCount, 2, "hits")
            for (field, status) in [
                (HTTPField("If-None-Match", "W/\"v0\", W/\"v1\""), 304), (HTTPField("If-None-Match", "\"v0\""), 200),
                (HTTPField("If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT"), 304),
            ] {
                let answer = try await world.exchange(
                    tenant.request("/v1/models", method: "GET", body: nil, fields: [field]))
                check.equal(answer.status, status, "\(field)")
                check.equal(answer.body.isEmpty, status == 304, "body for \(field)")
                check.equal(answer.fields.first("etag"), "\"v1\"", "tag for \(field)")
            }
            check.equal(world.upstream.received.count, 2, "conditions are judged here")
            let head = try await world.exchange(tenant.request("/v1/models", method: "HEAD", body: nil))
            check.equal(head.status, 200, "HEAD")
            check.equal(world.upstream.received.count, 2, "HEAD is answered from what GET gave")
        },
        HTTPScenario(
            inside: "cache.stale.changed",
            "A stale answer that has changed makes way for the new one."
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            world.upstream.script(cacheable("Cache-Control: public, max-age=0\r\nETag: \"v1\"\r\n", body: #"{"v":1}"#))
            check.equal(try await world.exchange(get).text, #"{"v":1}"#, "first")
            world.upstream.script(cacheable("Cache-Control: public, max-age=60\r\nETag: \"v2\"\r\n", body: #"{"v":2}"#))
            check.equal(try await world.exchange(get).text, #"{"v":2}"#, "changed")
            check.equal(try await world.exchange(get).text, #"{"v":2}"#, "held")
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "cache.stream.replayed-as-a-stream",
            "Where streams are held, one is given again byte for byte, chunks and all; one that broke off never is.",
            settings: ["HTTP_CACHE_STREAM_RESPONSES": "true"]
        ) { world, check in
            let tenant = try await world.tenant()
            let wish = [HTTPField("Cache-Control", "public")]
            let events = (1...3).map { "data: {\"n\":\($0)}\n\n" } + ["data: [DONE]\n\n"]
            let head = HTTPAnswer.chunkedHead(fields: "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\n")
            let body = events.map { UpstreamStep.send(HTTPAnswer.chunk($0)) }
            world.upstream.script(UpstreamStep.readRequest + [.send(head)] + body.prefix(2) + [.close])
            let broken = try await world.exchange(tenant.request(fields: wish))
            check.that(broken.text != events.joined(), "a stream that breaks off: \(broken.status)")
            world.upstream.script(UpstreamStep.readRequest + [.send(head)] + body + [.send(HTTPAnswer.lastChunk)])
            let first = try await world.exchange(tenant.request(fields: wish))
            let second = try await world.exchange(tenant.request(fields: wish))
            check.equal(first.text, events.joined(), "miss")
            check.equal(second.text, events.joined(), "hit")
            check.equal(second.end, .complete, "end of the hit")
            check.equal(second.fields.first("content-type"), "text/event-stream", "type of the hit")
            check.equal(second.fields.all("content-length"), [], "length of the hit")
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "cache.stream.not-held-unless-told",
            "Streams of events are not held unless the operator says so."
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 0..<2 {
                world.upstream.script(
                    UpstreamStep.readRequest + [
                        .send(
                            HTTPAnswer.chunkedHead(
                                fields: "Content-Type: text/event-stream\r\nCache-Control: public, max-age=60\r\n")),
                        .send(HTTPAnswer.chunk("data: [DONE]\n\n")), .send(HTTPAnswer.lastChunk),
                    ])
                check.equal(
                    try await world.exchange(tenant.request(fields: [HTTPField("Cache-Control", "public")])).text,
                    "data: [DONE]\n\n", "stream")
            }
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "cache.chunked.to-an-old-client",
            "What is held in chunks is given to a client of HTTP/1.0 without them.", needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(
                        HTTPAnswer.chunkedHead(
                            fields: "Content-Type: application/json\r\nCache-Control: public, max-age=60\r\n")),
                    .send(HTTPAnswer.chunk("{\"a\":")), .send(HTTPAnswer.chunk("1}")), .send(HTTPAnswer.lastChunk),
                ])
            let first = try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil))
            check.equal(first.text, #"{"a":1}"#, "miss")
            let old = try await world.exchange(
                raw: "GET /v1/models HTTP/1.0\r\nAuthorization: Bearer \(tenant.secret)\r\n\r\n", method: "GET")
            check.equal(old.text, #"{"a":1}"#, "hit")
            check.equal(world.upstream.received.count, 1, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "cache.size.bounded",
            "An answer larger than one may be is not held; when all are too many, those go that nobody asked for longest.",
            settings: ["HTTP_CACHE_MAX_OBJECT_BYTES": "20KiB", "HTTP_CACHE_MAX_BYTES": "128KiB"]
        ) { world, check in
            let tenant = try await world.tenant()
            func get(_ name: String, size: Int) async throws -> Bool {
                world.upstream.script(
                    cacheable("Cache-Control: public, max-age=60\r\n", body: String(repeating: "x", count: size)))
                let before = world.upstream.received.count
                let answer = try await world.exchange(tenant.request("/v1/models/\(name)", method: "GET", body: nil))
                check.equal(answer.text.utf8.count, size, "\(name)'s size")
                world.upstream.unscript()
                return world.upstream.received.count == before
            }
            for _ in 0..<2 { check.that(try await !get("large", size: 21 << 10), "too large to be held") }
            for name in ["a", "b", "c"] { check.that(try await !get(name, size: 18 << 10), "\(name) is new") }
            check.that(try await get("a", size: 18 << 10), "a is held")
            check.that(try await !get("d", size: 18 << 10), "d is new")
            check.that(try await get("a", size: 18 << 10), "a was asked for")
            check.that(try await !get("b", size: 18 << 10), "b had to go")
            let metrics = try await world.exchange(HTTPRequest(method: "GET", target: "/metrics"))
            let size = metrics.text.split(separator: "\n").first { $0.hasPrefix("llm_proxy_cache_size_bytes") }
            let bytes = size?.split(separator: " ").last.flatMap { Double($0) } ?? 0
            check.that((1...131_072).contains(bytes), "size in the metrics: \(size ?? "none")")
        },
        HTTPScenario(
            inside: "cache.flight.collapsed",
            "Requests at once for the same, of which it is known or said that it may be given again, ask the upstream once."
        ) { world, check in
            let tenant = try await world.tenant(cap: 100)
            let get = tenant.request(
                "/v1/models", method: "GET", body: nil, fields: [HTTPField("Cache-Control", "public")])
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .await("answer"),
                    .send(
                        HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: public, max-age=60\r\n")),
                ])
            let answers = try await withThrowingTaskGroup { group in
                for _ in 0..<10 { group.addTask { try await world.exchange(get) } }
                _ = try await eventually { !world.upstream.received.isEmpty }
                try await Task.sleep(for: .milliseconds(200))
                world.upstream.release("answer")
                var answers: [HTTPResponse] = []
                for try await answer in group { answers.append(answer) }
                return answers
            }
            for answer in answers { check.usual(answer) }
            check.equal(world.upstream.received.count, 1, "requests that reached the upstream")
            check.equal(try await world.settledTally(tenant, rows: 10), Tally(10), "tally")
            check.equal(try await world.storage.token(tenant.tokenID).cacheHitCount, 9, "hits")
            // Of others nobody knows, so that nobody waits.
            world.upstream.script(UpstreamStep.readRequest + [.await("slow"), .send(HTTPAnswer.usual)])
            let unknown = tenant.request("/v1/models/m", method: "GET", body: nil)
            let slow = Task { try await world.exchange(unknown) }
            check.that(try await eventually { world.upstream.received.count == 2 }, "the slow one is on its way")
            check.usual(try await world.exchange(unknown), "beside a slow one")
            world.upstream.release("slow")
            check.usual(try await slow.value, "the slow one")
        },
        HTTPScenario(
            inside: "cache.flight.not-held-up",
            "When the first of several turns out to be given once, or its client leaves, the others get their own answers."
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request(
                "/v1/models", method: "GET", body: nil, fields: [HTTPField("Cache-Control", "public")])
            world.upstream.script(UpstreamStep.readRequest + [.await("never")])
            var leaver = try await world.talk()
            try await leaver.send(get)
            check.that(try await eventually { world.upstream.received.count == 1 }, "the first arrives")
            let waiting = Task { try await world.exchange(get) }
            try await Task.sleep(for: .milliseconds(100))
            check.equal(world.upstream.received.count, 1, "the second waits")
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .await("private"),
                    .send(HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: private\r\n")),
                ])
            await leaver.connection.reset()
            check.that(try await eventually { world.upstream.received.count == 2 }, "the second tries")
            let third = Task { try await world.exchange(get) }
            try await Task.sleep(for: .milliseconds(100))
            world.upstream.release("private")
            check.usual(try await waiting.value, "second")
            check.usual(try await third.value, "third")
            check.equal(world.upstream.received.count, 3, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "cache.change.invalidates",
            "What GET gave at a path is forgotten when something is changed there."
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request("/v1/files", method: "GET", body: nil)
            func ask(_ what: String, reaches count: Int) async throws {
                let before = world.upstream.received.count
                world.upstream.script(cacheable("Cache-Control: public, max-age=60\r\n"))
                check.usual(try await world.exchange(get), what)
                world.upstream.unscript()
                check.equal(world.upstream.received.count - before, count, what)
            }
            try await ask("first", reaches: 1)
            try await ask("held", reaches: 0)
            world.upstream.script(cacheable("", status: "400 Bad Request"))
            _ = try await world.exchange(tenant.request("/v1/files"))
            try await ask("after a refused change", reaches: 0)
            _ = try await world.exchange(tenant.request("/v1/files?a=b"))
            try await ask("after a change", reaches: 1)
        },
        HTTPScenario(
            inside: "cache.hit.slow-reader-gets-everything",
            "A client that asks for much from the cache at once and reads late gets all of it.", needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant(cap: 99)
            let body = String(repeating: "x", count: 900 << 10)
            world.upstream.script(cacheable("Cache-Control: public, max-age=60\r\n", body: body))
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            check.equal(try await world.exchange(get).text.utf8.count, body.utf8.count, "miss")
            var conversation = try await world.talk()
            for _ in 0..<20 { try await conversation.send(get) }
            try await Task.sleep(for: .milliseconds(500))
            // Most of them wait for the client, and are not asked for yet.
            let counted = try await world.storage.token(tenant.tokenID).requestCount
            check.that(counted < 15, "\(counted) of 20 were counted before the client read any")
            for number in 0..<20 {
                let answer = try await conversation.response(to: "GET")
                check.that(
                    answer.text == body && answer.end == .complete, "answer \(number): \(answer.text.utf8.count)")
            }
            check.equal(world.upstream.received.count, 1, "requests that reached the upstream")
            await conversation.connection.close()
        },
        HTTPScenario(
            inside: "cache.hit.of-a-project-with-ways",
            "Where a project has several ways, an answer from the cache went none of them, and its row reads back."
        ) { world, check in
            let tenant = try await world.tenant()
            let way = try await world.manage(
                "POST", "/manage/upstreams",
                #"{"project_id":"\#(tenant.projectID)","api_key":"sk-second-0123456789","priority":9}"#)
            check.equal(way.status, 201, "way")
            world.upstream.script(cacheable("Cache-Control: public, max-age=60\r\n"))
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            for _ in 0..<2 { check.usual(try await world.exchange(get)) }
            _ = try await world.settledTally(tenant, rows: 2)
            let rows = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 9)
            check.equal(rows.map { $0.admission.settlement?.attempts.count }, [1, 0], "attempts")
            check.equal(world.upstream.received.count, 1, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "cache.purge.reaches-what-is-under-way",
            "What was asked for before a purge is given to nobody who asks after it."
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request(
                "/v1/models", method: "GET", body: nil, fields: [HTTPField("Cache-Control", "public")])
            let fields = "Cache-Control: public, max-age=60\r\n"
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .await("old"), .send(HTTPAnswer.json(#"{"v":1}"#, fields: fields)),
                ])
            let old = Task { try await world.exchange(get) }
            check.that(try await eventually { world.upstream.received.count == 1 }, "the first is under way")
            _ = try await world.manage("POST", "/manage/cache/purge", #"{"all":true}"#)
            world.upstream.script(cacheable(fields, body: #"{"v":2}"#))
            check.equal(try await world.exchange(get).text, #"{"v":2}"#, "asked after the purge")
            world.upstream.release("old")
            check.equal(try await old.value.text, #"{"v":1}"#, "asked before the purge")
            check.equal(try await world.exchange(get).text, #"{"v":2}"#, "held")
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream")
        },
    ]

    /// What operators can do about it.
    static let cacheOperation: [HTTPScenario] = [
        HTTPScenario(
            inside: "cache.purge.really-purges",
            "A purge forgets what it names and nothing else: an address, all that begins so, a project, everything."
        ) { world, check in
            let one = try await world.tenant(name: "one")
            let other = try await world.tenant(name: "other")
            func fill() async throws {
                for tenant in [one, other] {
                    for path in ["/v1/models", "/v1/models/a", "/v1/files"] {
                        world.upstream.script(cacheable("Cache-Control: public, max-age=60\r\n"))
                        _ = try await world.exchange(tenant.request(path, method: "GET", body: nil))
                        world.upstream.unscript()
                    }
                }
            }
            func purge(_ body: String, _ wanted: Int) async throws {
                try await fill()
                let answer = try await world.manage("POST", "/manage/cache/purge", body)
                check.equal(answer.status, 200, "purge \(body): \(answer.text)")
                check.equal(answer.json["deleted"].integer, wanted, "purged by \(body)")
                let before = world.upstream.received.count
                try await fill()
                check.equal(world.upstream.received.count - before, wanted, "asked again after \(body)")
            }
            try await purge(#"{"method":"GET","url":"/v1/models"}"#, 2)
            try await purge(#"{"method":"GET","url":"https://api.openai.com/v1/models","prefix":true}"#, 4)
            try await purge(#"{"url":"/openai/v1/models/a"}"#, 2)
            try await purge(#"{"method":"POST","url":"/v1/models"}"#, 0)
            try await purge(#"{"project_id":"\#(one.projectID)"}"#, 3)
            try await purge(#"{"project_id":"\#(one.projectID)","url":"/v1/f","prefix":true}"#, 1)
            try await purge(#"{"all":true}"#, 6)
            for body in [
                "{}", #"{"all":false}"#, #"{"all":true,"url":"/v1"}"#, #"{"method":"PUT","url":"/"}"#,
                #"{"prefix":true}"#,
                #"{"url":"v1"}"#, #"{"url":"/a b"}"#, #"{"project_id":"x"}"#, #"{"key":"x"}"#, #"{"method":"GET"}"#,
            ] {
                check.managementRefusal(try await world.manage("POST", "/manage/cache/purge", body), 400, body)
            }
        },
        HTTPScenario(
            inside: "cache.database.outlives-the-server",
            "Held in the database, an answer is given by a server that never asked for it, until it is purged.",
            needs: .durable, settings: ["HTTP_CACHE_BACKEND": "database"]
        ) { world, check in
            let tenant = try await world.tenant(cap: 9)
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            world.upstream.script(cacheable("Cache-Control: public, max-age=600\r\nVary: X-Region\r\n"))
            check.usual(try await world.exchange(get), "first")
            // It is written beside the answer, and all of it before the server has stopped.
            try await world.restart()
            let second = try await world.exchange(get)
            check.usual(second, "after a restart")
            check.that(
                second.fields.first("cache-status")?.hasPrefix("llm-proxy; hit") == true,
                "status after a restart: \(second.fields.all("cache-status"))")
            check.equal(world.upstream.received.count, 1, "requests that reached the upstream")
            _ = try await world.settledTally(tenant, rows: 2)
            check.equal(try await world.storage.token(tenant.tokenID).cacheHitCount, 1, "hits")
            let purged = try await world.manage("POST", "/manage/cache/purge", #"{"all":true}"#)
            check.equal(purged.json["deleted"].integer, 1, "purged")
            try await world.restart()
            check.usual(try await world.exchange(get), "after the purge")
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream after the purge")
        },
        HTTPScenario(
            inside: "cache.switched-off.takes-no-part",
            "Where the cache is switched off, every request is sent on.", settings: ["HTTP_CACHE_ENABLED": "false"]
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 0..<2 {
                world.upstream.script(cacheable("Cache-Control: public, max-age=60\r\n"))
                let answer = try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil))
                check.equal(answer.fields.all("cache-status"), [], "status")
            }
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream")
            check.equal(
                try await world.manage("POST", "/manage/cache/purge", #"{"all":true}"#).json["deleted"].integer, 0,
                "purged")
        },
    ]
}

/// An upstream that reads a request and answers with these fields.
func cacheable(
    _ fields: String, status: String = "200 OK", body: String = HTTPAnswer.usualBody
) -> [UpstreamStep] {
    UpstreamStep.readRequest + [.send(HTTPAnswer.json(body, status: status, fields: fields))]
}
