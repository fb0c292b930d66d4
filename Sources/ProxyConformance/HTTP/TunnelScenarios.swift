import ProxyDomain

extension HTTPScenario {
    /// WebSockets (RFC 6455), for `/v1/realtime`.
    static let tunnels: [HTTPScenario] = [
        HTTPScenario(
            inside: "tunnel.websocket.carries-both-ways",
            "A WebSocket that the upstream agrees to carries bytes both ways, whatever they are, and is one request.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant(cap: 1)
            let noise = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            world.upstream.script([
                .readHead, .send(text: agreement), .send(Array("hello".utf8)), .readBytes(15), .send(noise), .close,
            ])
            let connection = try await world.connect()
            try await connection.send(tenant.opening())
            var received = try await connection.receive(past: "hello")
            let head = String(decoding: received, as: UTF8.self)
            check.that(head.hasPrefix("HTTP/1.1 101 "), "found \(head)")
            for line in [
                "\r\nUpgrade: websocket\r\n", "\r\nConnection: Upgrade\r\n",
                "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
            ] {
                check.that(head.contains(line), "no \(line) in \(head)")
            }
            try await connection.send(Array("from the client".utf8))
            received = []
            while true {
                let more = try await connection.receive(atMost: 1 << 16, within: .seconds(10))
                if more.isEmpty { break }
                received += more
            }
            check.that(received == noise, "\(received.count) bytes came, of \(noise.count), or others")
            await connection.close()
            check.equal(try await world.settledTally(tenant, rows: 1), Tally(1), "tally")
            let end = try await world.settlement(of: tenant)
            check.equal([end?.status], [101], "status")
            check.equal(end?.outcome, .completed, "outcome")
            check.equal([end?.requestBytes, end?.responseBytes], [15, Int64(noise.count + 5)], "bytes in its row")
            // What has passed each way: the client's message, and the upstream's greeting and noise.
            let isLogged = try await eventually {
                world.log.contains(#""request_bytes":15,"response_bytes":\#(noise.count + 5)"#)
            }
            check.that(isLogged, "bytes in \(world.log.split(separator: "\n").last { $0.contains("realtime") } ?? "")")
            let request = world.upstream.received.first
            check.equal(
                request.map { String(decoding: $0.body, as: UTF8.self) }, "from the client", "what the client sent")
            check.equal(request?.target, "/v1/realtime?model=gpt-realtime", "target")
            check.equal(request?.fields.all("connection"), ["Upgrade"], "Connection")
            check.equal(request?.fields.all("upgrade"), ["websocket"], "Upgrade")
            check.equal(request?.fields.all("sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="], "Sec-WebSocket-Key")
            check.equal(request?.fields.all("authorization"), ["Bearer \(upstreamKey)"], "Authorization")
            check.refusal(try await world.exchange(tenant.request()), 429, "quota_exceeded", "the next request")
        },
        HTTPScenario(
            inside: "tunnel.client-gone.ends-the-upstream", "When a WebSocket's client goes, its upstream is let go.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([.readHead, .send(text: agreement), .send(Array("hello".utf8)), .awaitClose])
            let connection = try await world.connect()
            try await connection.send(tenant.opening())
            _ = try await connection.receive(past: "hello")
            await connection.close()
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the upstream was not let go")
            check.equal(try await world.settlement(of: tenant)?.outcome, .completed, "outcome")
        },
        HTTPScenario(
            "tunnel.upstream-declines.is-answered", "An upstream that doesn't agree answers as to any request.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            try await conversation.connection.send(tenant.opening())
            check.usual(try await conversation.response(to: "GET"))
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response(to: "POST"), "the next request on the connection")
            await conversation.connection.close()
        },
        HTTPScenario(
            "tunnel.unasked.is-refused",
            "An upstream that switches to what nobody has asked for is refused; other protocols are not passed on.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([.readHead, .send(text: agreement), .awaitClose])
            check.refusal(
                try await world.exchange(tenant.request("/v1/realtime", method: "GET", body: nil)), 502,
                "upstream_invalid_response", "without Upgrade")
            world.upstream.script([.readHead, .send(text: agreement.replacing("websocket", with: "h2c")), .awaitClose])
            let connection = try await world.connect()
            try await connection.send(tenant.opening())
            let answer = String(decoding: try await connection.receive(past: "\r\n\r\n"), as: UTF8.self)
            check.that(answer.hasPrefix("HTTP/1.1 502 "), "another protocol than was asked for: \(answer)")
            await connection.close()
            // They are told in the order of their ends.
            check.that(try await eventually { world.upstream.received.count == 2 }, "the upstream was not let go")
            var conversation = try await world.talk()
            try await conversation.connection.send(tenant.opening(upgrade: "h2c"))
            check.usual(try await conversation.response(to: "GET"), "a request for another protocol")
            check.equal(world.upstream.received.last?.fields.all("upgrade"), [], "Upgrade of another protocol")
            await conversation.connection.close()
        },
        HTTPScenario(
            inside: "tunnel.idle.is-bounded", "A WebSocket on which nothing passes either way ends.", needs: .rawBytes,
            settings: ["STREAM_IDLE_TIMEOUT": "6s"]
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([.readHead, .send(text: agreement), .send(Array("hello".utf8)), .awaitClose])
            let connection = try await world.connect()
            try await connection.send(tenant.opening())
            _ = try await connection.receive(past: "hello")
            // What the client sends keeps it open.
            for _ in 0..<4 {
                try await connection.send([7])
                try await ContinuousClock().sleep(for: .milliseconds(1700))
            }
            check.equal(world.upstream.closedByProxy, 0, "upstreams that were let go while something passed")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "it stays open")
            await connection.close()
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamTimeout, "outcome")
        },
        HTTPScenario(
            "tunnel.tls.carries-both-ways", "A WebSocket of a client that speaks TLS (wss) carries bytes both ways.",
            needs: .rawBytes, settings: ["TLS_CERT_FILE": "{certificate}", "TLS_KEY_FILE": "{certificate-key}"]
        ) { world, check in
            let tenant = try await world.tenant()
            let noise = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            world.upstream.script([.readHead, .send(text: agreement), .readBytes(noise.count), .send(noise), .close])
            let connection = try await world.connect()
            try await connection.send(tenant.opening())
            let head = String(decoding: try await connection.receive(past: "\r\n\r\n"), as: UTF8.self)
            check.that(head.hasPrefix("HTTP/1.1 101 "), "found \(head)")
            try await connection.send(noise)
            var received: [UInt8] = []
            while true {
                let more = try await connection.receive(atMost: 1 << 16, within: .seconds(10))
                if more.isEmpty { break }
                received += more
            }
            await connection.close()
            check.that(received == noise, "\(received.count) bytes came, of \(noise.count), or others")
            check.that(world.upstream.received.first?.body == noise, "the upstream got other bytes")
        },
        HTTPScenario(
            "tunnel.credential.comes-first", "No WebSocket without a token, or beyond what the token allows.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.scoped(token: #""allowed_models":["gpt-4o"]"#)
            for (bytes, status) in [(tenant.opening(), 400), (Tenant.nobody.opening(), 401)] {
                let connection = try await world.connect()
                try await connection.send(bytes)
                let answer = String(decoding: try await connection.receive(past: "\r\n\r\n"), as: UTF8.self)
                check.that(answer.hasPrefix("HTTP/1.1 \(status) "), "wanted \(status), found \(answer)")
                await connection.close()
            }
            check.equal(world.upstream.received.count, 0, "requests that went on")
        },
        HTTPScenario(
            "tunnel.http2-upstream.falls-back",
            "A WebSocket goes over a connection of HTTP/1.1 also where the upstream's other requests go over HTTP/2.",
            needs: .rawBytes, settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(HTTP2Script.serving(1, 3))
            world.upstream.script([
                .readHead, .send(text: agreement), .send(Array("hello".utf8)), .readBytes(15), .awaitClose,
            ])
            check.usual(try await world.exchange(tenant.request()), "a request before it")
            let connection = try await world.connect()
            try await connection.send(tenant.opening())
            let answer = String(decoding: try await connection.receive(past: "hello"), as: UTF8.self)
            check.that(answer.hasPrefix("HTTP/1.1 101 "), "found \(answer)")
            check.usual(try await world.exchange(tenant.request()), "a request beside it")
            try await connection.send(Array("from the client".utf8))
            await connection.close()
            check.that(try await eventually { world.upstream.received.count == 1 }, "the upstream was not let go")
            let received = world.upstream.received.first
            check.equal(received?.body, Array("from the client".utf8), "what the client sent")
            check.equal(received?.fields.all("upgrade"), ["websocket"], "Upgrade")
            check.equal(received?.connection, 2, "connection")
            check.equal(world.upstream.frames(of: 1).begun, [1, 3], "streams of the other connection")
        },
    ]

    private static let agreement = """
        HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n
        """
}

extension Tenant {
    fileprivate static let nobody = Tenant(
        secret: "sk-" + String(repeating: "A", count: 43), tokenID: .sample(1), projectID: .sample(1))

    /// A request for a WebSocket.
    fileprivate func opening(upgrade: String = "websocket") -> [UInt8] {
        Array(
            ("GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: proxy.test\r\nAuthorization: Bearer \(secret)\r\n"
                + "Connection: keep-alive, Upgrade\r\nUpgrade: \(upgrade)\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8)
    }
}

extension RawConnection {
    /// What comes until `end` has, it included.
    func receive(past end: String) async throws -> [UInt8] {
        var received: [UInt8] = []
        while !String(decoding: received, as: UTF8.self).contains(end) {
            let more = try await receive(atMost: 1 << 16, within: .seconds(10))
            if more.isEmpty { break }
            received += more
        }
        return received
    }
}
