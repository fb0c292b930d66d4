import ProxyDomain

extension HTTPScenario {
    /// Which answers are given again, and for how long (RFC 9111 sections 3 and 4.2).
    static let cacheRules: [HTTPScenario] = [
        HTTPScenario(
            inside: "cache.lifetime.of-shared-caches",
            "What an answer says of shared caches comes before what it says of all, and permits what is not public."
        ) { world, check in
            let tenant = try await world.tenant()
            for (index, (said, isKept)) in [
                ("public, max-age=0, s-maxage=60", true), ("public, max-age=60, s-maxage=0", false),
                ("s-maxage=60", true), ("max-age=60, must-revalidate", true), ("max-age=60, proxy-revalidate", false),
                ("public, max-age=60, max-age=0", false),
            ].enumerated() {
                let get = tenant.request("/v1/models/\(index)", method: "GET", body: nil)
                let before = world.upstream.received.count
                for _ in 0..<2 {
                    world.upstream.script(keeping(said))
                    check.usual(try await world.exchange(get), said)
                }
                world.upstream.unscript()
                check.equal(world.upstream.received.count - before, isKept ? 1 : 2, "requests after \(said)")
            }
        },
        HTTPScenario(
            inside: "cache.lifetime.usual",
            "An answer that may be kept and doesn't say how long is kept for HTTP_CACHE_DEFAULT_TTL.",
            settings: ["HTTP_CACHE_DEFAULT_TTL": "4s"]
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            world.upstream.script(keeping("public"))
            check.usual(try await world.exchange(get), "miss")
            let again = try await world.exchange(get)
            check.that(again.fields.first("cache-status")?.contains("hit; ttl=") == true, "kept for no time")
            check.that(
                try await eventually {
                    try await world.exchange(get).fields.first("cache-status")?.contains("hit") != true
                }, "kept for longer")
        },
        HTTPScenario(
            inside: "cache.broken.is-not-kept",
            "An answer that breaks off is not given again, whatever it says of itself."
        ) { world, check in
            let tenant = try await world.tenant()
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: public, max-age=60\r\n"
            for (index, rest) in ["Content-Length: 20\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]
                .enumerated()
            {
                let get = tenant.request("/v1/models/\(index)", method: "GET", body: nil)
                world.upstream.script(UpstreamStep.readRequest + [.send(text: head + rest), .close])
                let cut = try await world.exchange(get)
                check.that(cut.status == 502 || cut.end != .complete, "it looks whole: \(cut.status) \(cut.text)")
                check.usual(try await world.exchange(get), "the next one")
            }
            check.equal(world.upstream.received.count, 4, "requests that reached the upstream")
        },
    ]

    /// Reads the request and answers as usual.
    private static func keeping(_ cacheControl: String) -> [UpstreamStep] {
        UpstreamStep.readRequest + [
            .send(HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: \(cacheControl)\r\n"))
        ]
    }
}
