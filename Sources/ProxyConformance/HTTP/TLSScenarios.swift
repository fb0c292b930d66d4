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
}
