import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// What several servers on one PostgreSQL have of the response cache together.
    static let sharedCaches: [CommandScenario] = [
        CommandScenario(
            "instances.cache.purge-reaches-all",
            "What is purged through one server is forgotten by the others within 1 s."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(2, on: database)
            let tenant = try await servers[0].tenant()
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            for server in servers {
                for _ in 0..<2 {
                    bench.upstream.script(cacheable)
                    check.usual(try await server.exchange(get))
                    bench.upstream.unscript()
                }
            }
            check.equal(bench.upstream.received.count, 2, "each server asks once")
            let purged = try await servers[0].manage("POST", "/manage/cache/purge", #"{"url":"/v1/models"}"#)
            check.equal(purged.json["deleted"].integer, 1, "purged")
            let isForgotten = try await eventually(within: .seconds(1)) {
                _ = try await servers[1].exchange(get)
                return bench.upstream.received.count == 3
            }
            check.that(isForgotten, "the other server gives it still")
        },
        CommandScenario(
            "instances.cache.held-together",
            "With HTTP_CACHE_BACKEND=database, what one server was answered another gives, with its project's tokens alone."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(2, on: database, ["HTTP_CACHE_BACKEND": "database"])
            let tenant = try await servers[0].tenant()
            let other = try await servers[0].tenant(name: "other")
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            bench.upstream.script(cacheable)
            check.usual(try await servers[0].exchange(get))
            let isWritten = try await eventually {
                try await database.run("SELECT count(*) FROM cached_responses") == [["1"]]
            }
            check.that(isWritten, "the answer is in the database")
            let hit = try await servers[1].exchange(get)
            check.usual(hit)
            check.that(hit.fields.first("cache-status")?.contains("hit") == true, "status")
            check.equal(bench.upstream.received.count, 1, "requests at the upstream")
            check.usual(try await servers[1].exchange(other.request("/v1/models", method: "GET", body: nil)))
            check.equal(bench.upstream.received.count, 2, "another project asks for itself")
            try await bench.expectSound(database, check)
        },
    ]
}

/// An upstream that reads a request and answers with what may be given again.
private let cacheable: [UpstreamStep] =
    UpstreamStep.readRequest + [
        .send(HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: public, max-age=60\r\n"))
    ]
