import ProxyDomain

extension HTTPScenario {
    /// TLS towards the upstream. Its certificate is for `localhost`, by an authority that only a file names.
    static let upstreamTLS: [HTTPScenario] = [
        HTTPScenario(
            "tls.upstream.is-verified", "An upstream with a certificate of a trusted authority, for its name, is used.",
            settings: ["OPENAI_API_URL": "{tls-by-name}", "UPSTREAM_CA_FILE": "{authority}"]
        ) { world, check in
            let tenant = try await world.tenant()
            for number in 1...3 { check.usual(try await world.exchange(tenant.request()), "answer \(number)") }
            let hosts = world.upstream.received.map { $0.fields.all("host").first?.hasPrefix("localhost:") }
            check.equal(hosts, [true, true, true], "Host names the upstream")
        },
        HTTPScenario(
            "tls.outbound-proxy.is-used",
            "Upstreams that speak TLS are reached through HTTPS_PROXY, and verified all the same.",
            settings: behindProxy("{connect-proxy}")
        ) { world, check in
            let tenant = try await world.tenant()
            for number in 1...2 { check.usual(try await world.exchange(tenant.request()), "answer \(number)") }
            check.equal(world.upstream.received.first?.fields.all("host"), ["localhost:1"], "Host")
            check.equal(world.upstream.received.first?.fields.all("proxy-authorization"), [], "Proxy-Authorization")
        },
        HTTPScenario(
            inside: "tls.outbound-proxy.refuses",
            "A proxy that wants another credential is no way to the upstream: 502, and no secret is told.",
            settings: behindProxy("http://other:secret-of-the-proxy@{connect-place}")
        ) { world, check in
            let tenant = try await world.tenant()
            let answer = try await world.exchange(tenant.request())
            check.refusal(answer, 502, "upstream_unreachable")
            check.that(
                !answer.text.contains("secret-of-the-proxy") && !world.log.contains("secret-of-the-proxy"),
                "the secret is told")
            check.equal(world.upstream.received.count, 0, "requests that went on")
        },
        HTTPScenario(
            "tls.outbound-proxy.has-exceptions", "Hosts that NO_PROXY names are reached without the proxy.",
            settings: behindProxy("{connect-proxy}").merging(["NO_PROXY": "example.com, localhost"]) { $1 }
        ) { world, check in
            let tenant = try await world.tenant()
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_unreachable")
        },
        HTTPScenario(
            "tls.stream.arrives-whole", "A large answer comes byte for byte over TLS.",
            settings: ["OPENAI_API_URL": "{tls-by-name}", "UPSTREAM_CA_FILE": "{authority}"]
        ) { world, check in
            let tenant = try await world.tenant()
            let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.sized(body))])
            let response = try await world.exchange(tenant.request())
            check.that(response.body == body, "\(response.body.count) bytes came, of \(body.count), or others")
        },
        HTTPScenario(
            inside: "tls.unknown-authority.is-refused", "An upstream whose authority nobody trusts gets nothing.",
            settings: ["OPENAI_API_URL": "{tls-by-name}"]
        ) { world, check in
            let tenant = try await world.tenant()
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_unreachable")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamUnreachable, "outcome")
        },
        HTTPScenario(
            "tls.other-name.is-refused", "An upstream whose certificate is for another name gets nothing.",
            settings: ["OPENAI_API_URL": "{tls-by-address}", "UPSTREAM_CA_FILE": "{authority}"]
        ) { world, check in
            let tenant = try await world.tenant()
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_unreachable")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
    ]

    /// An upstream at a port where nobody listens, to which a proxy leads.
    static func behindProxy(_ proxy: String) -> [String: String] {
        ["OPENAI_API_URL": "https://localhost:1", "UPSTREAM_CA_FILE": "{authority}", "HTTPS_PROXY": proxy]
    }

    /// TLS towards clients.
    static let listenerTLS: [HTTPScenario] = [
        HTTPScenario(
            "tls.listener.serves",
            "Over TLS requests are served as without, one after another on a connection, and counted.",
            settings: certificate
        ) { world, check in
            let tenant = try await world.tenant(cap: 3)
            var conversation = try await world.talk()
            for number in 1...3 {
                try await conversation.send(tenant.request())
                check.usual(try await conversation.response(to: "POST"), "answer \(number)")
            }
            await conversation.connection.close()
            check.refusal(try await world.exchange(tenant.request()), 429, "quota_exceeded", "the fourth")
            let answer = try await world.manage("GET", "/manage/tokens/\(tenant.tokenID)")
            check.equal(answer.json["request_count"].integer, 3, "request_count")
        },
        HTTPScenario(
            "tls.listener.carries-large-bodies", "Large bodies come byte for byte over TLS, both ways.",
            settings: certificate
        ) { world, check in
            let tenant = try await world.tenant()
            let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.sized(body))])
            let response = try await world.exchange(tenant.request(body: body))
            check.that(response.body == body, "\(response.body.count) bytes came, of \(body.count), or others")
            check.that(world.upstream.received.first?.body == body, "the upstream got another body")
        },
        HTTPScenario(
            "tls.listener.closes-cleanly",
            "An answer after which the connection closes is read to its end: TLS is ended before TCP is.",
            needs: .rawBytes,
            settings: certificate
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request(fields: [HTTPField("Connection", "close")])))
            let refused = try await world.exchange(raw: "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
            check.equal(refused.status, 400, "a request that can't be understood")
            check.that(refused.fields.all("connection").contains("close"), "and whose connection closes")
        },
        HTTPScenario(
            "tls.listener.breaks-off-visibly",
            "An answer that ends with its connection and breaks off does not end as a whole one does.",
            needs: .rawBytes,
            settings: certificate
        ) { world, check in
            let tenant = try await world.tenant()
            let asking = "GET /v1/models HTTP/1.0\r\nAuthorization: Bearer \(tenant.secret)\r\n\r\n"
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .send(HTTPAnswer.chunk("data: 1\n\n")), .await("go"), .close,
                ])
            var conversation = try await world.talk()
            try await conversation.send(asking)
            let head = try await conversation.head()
            check.equal(head.status, 200, "status")
            world.upstream.release("go")
            check.equal(try await conversation.body(of: head, to: "GET").end, .reset, "how it ended")
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .send(HTTPAnswer.chunk("data: 1\n\n")),
                    .send(HTTPAnswer.lastChunk),
                ])
            let whole = try await world.exchange(raw: asking, method: "GET")
            check.equal(whole.text, "data: 1\n\n", "a whole one")
        },
        HTTPScenario(
            "tls.listener.ends-both-ways", "A client that sends nothing more still gets a large answer to its end.",
            needs: .rawBytes,
            settings: certificate
        ) { world, check in
            let tenant = try await world.tenant()
            let body = [UInt8](repeating: 0x61, count: 8_000_000)
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.sized(body))])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request(fields: [HTTPField("Connection", "close")]))
            await conversation.connection.finishSending()
            let response = try await conversation.response(to: "POST")
            check.equal(response.body.count, body.count, "bytes that came")
        },
    ]

    private static let certificate = ["TLS_CERT_FILE": "{certificate}", "TLS_KEY_FILE": "{certificate-key}"]
}
