import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What clients are told when the upstream lets us down.
    static let upstreamFailures: [HTTPScenario] = [
        HTTPScenario(
            inside: "upstream.key.that-cannot-be-opened",
            "A project whose key can't be unsealed gets 500 and nothing is counted; the log says why, and a new key mends it.",
            settings: ["EVENT_LOOPS": "1"]
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let broken = ProjectChange(key: SealedKey(ciphertext: "broken", hint: "sk-…oken"))
            _ = try await world.storage.update(tenant.projectID, broken, at: Timestamp(milliseconds: 0))
            check.that(
                try await eventually { try await world.exchange(tenant.request()).status == 500 }, "it is still served")
            let counted = try await world.storage.token(tenant.tokenID).requestCount
            for _ in 0..<3 { check.refusal(try await world.exchange(tenant.request()), 500, "project_unusable") }
            check.equal(
                try await world.storage.token(tenant.tokenID).requestCount, counted, "requests that were counted")
            check.that(
                try await eventually { world.log.contains("the key of a project can't be opened") },
                "the log doesn't say why")
            _ = try await world.manage(
                "PATCH", "/manage/projects/\(tenant.projectID)", #"{"api_key":"sk-mended-0123456789"}"#)
            check.that(
                try await eventually { try await world.exchange(tenant.request()).status == 200 }, "it is not mended")
            check.equal(
                world.upstream.received.last?.fields.first("authorization"), "Bearer sk-mended-0123456789", "its key")
        },
        HTTPScenario(
            inside: "upstream.refused.is-502", "An upstream that takes no connection is unreachable: 502.",
            needs: .rawUpstream
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.stop()
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_unreachable")
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamUnreachable, "outcome")
        },
        HTTPScenario(inside: "upstream.closed.is-502", "An upstream that closes before it answers has broken off: 502.")
        {
            world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.close])
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset")
            check.equal(world.upstream.received.count, 1, "tries")
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamReset, "outcome")
        },
        HTTPScenario("upstream.reset.is-502", "An upstream that resets before it answers has broken off: 502.") {
            world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.reset])
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset")
            check.equal(world.upstream.received.count, 1, "tries")
        },
        HTTPScenario("upstream.cut-head.is-502", "An upstream that closes within its head has broken off: 502.") {
            world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.send(text: "HTTP/1.1 200 OK\r\nContent-Le"), .close])
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset")
        },
        HTTPScenario(
            inside: "upstream.silent.is-504", "An upstream that is silent for too long has timed out: 504.",
            settings: ["REQUEST_TIMEOUT": "200ms"]
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.awaitClose])
            check.refusal(try await world.exchange(tenant.request()), 504, "upstream_timeout")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the upstream was not let go")
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamTimeout, "outcome")
        },
        HTTPScenario(
            "upstream.error.passes-untouched", "An upstream's own errors pass as they are.",
            needs: [.rawBytes, .rawUpstream]
        ) { world, check in
            let tenant = try await world.tenant()
            let body = #"{"error":{"message":"slow down","type":"x","code":"rate_limit_exceeded"}}"#
            for status in ["429 Too Many Requests", "500 Oh Dear", "401 Unauthorized", "418 I'm a teapot"] {
                let fields = "Content-Type: application/json\r\nRetry-After: 7\r\nWWW-Authenticate: Key realm=x\r\n"
                world.upstream.script(
                    UpstreamStep.readRequest + [
                        .send(HTTPAnswer.sized(Array(body.utf8), status: status, fields: fields))
                    ])
                let response = try await world.exchange(tenant.request())
                check.equal("\(response.status) \(response.head.reason)", status, "status line")
                check.equal(response.text, body, "body of \(status)")
                check.equal(response.fields.all("retry-after"), ["7"], "Retry-After of \(status)")
                check.equal(response.fields.all("www-authenticate"), ["Key realm=x"], "WWW-Authenticate of \(status)")
            }
        },
        HTTPScenario("upstream.failure.keeps-serving", "After every kind of failure the next request is served.") {
            world, check in
            let tenant = try await world.tenant()
            for step in [UpstreamStep.close, .reset, .send(text: "garbage\r\n\r\n")] {
                world.upstream.script(UpstreamStep.readRequest + [step])
                check.equal(try await world.exchange(tenant.request()).status, 502, "failure")
                check.usual(try await world.exchange(tenant.request()), "after it")
            }
        },
        HTTPScenario(
            "upstream.upload-unread.is-bounded", "An upstream that doesn't read its request has timed out: 504.",
            needs: .rawUpstream, settings: ["STREAM_IDLE_TIMEOUT": "1s", "MAX_REQUEST_SIZE": "64MiB"]
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([.readHead, .await("look"), .awaitClose])
            let start = ContinuousClock.now
            // More than lies in the buffers of sockets.
            let body = [UInt8](repeating: 7, count: 16 << 20)
            var conversation = try await world.talk()
            // Refused before all of it is there; what comes later may find the connection closed.
            try? await conversation.send(tenant.request("/v1/files", body: body))
            check.refusal(try await conversation.response(), 504, "upstream_timeout")
            await conversation.connection.close()
            check.that(ContinuousClock.now - start < .seconds(8), "it took \(ContinuousClock.now - start)")
            world.upstream.release("look")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the upstream was not let go")
        },
    ]
}
