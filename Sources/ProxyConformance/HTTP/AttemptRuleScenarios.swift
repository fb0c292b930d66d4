import Glibc
import ProxyDomain

extension HTTPScenario {
    /// What the providers file says of attempts, keys and connections, and what holds where it says something else than usual.
    static let attemptRules: [HTTPScenario] = [
        HTTPScenario(
            inside: "attempt.retry.only-what-is-named", "Where `on` is given, nothing else is tried again.",
            settings: openAIFile(
                "retry: {attempts: 2, on: [418, timeout], backoff: 1ms}\n    timeouts: {response_header: 5s}")
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(answeringEmpty("503 Busy"))
            check.equal(try await world.exchange(tenant.request()).status, 503, "what is not named")
            check.equal(world.upstream.received.count, 1, "attempts")
            world.upstream.script(answeringEmpty("418 Teapot"))
            check.usual(try await world.exchange(tenant.request()), "after a status that is named")
            world.upstream.script(UpstreamStep.readRequest + [.awaitClose])
            check.usual(try await world.exchange(tenant.request()), "after silence")
            check.equal(world.upstream.received.count, 5, "attempts in all")
        },
        HTTPScenario(
            inside: "attempt.fallback.only-what-is-named",
            "Where `on` is given, nothing else makes a request take the next way.",
            settings: openAIFile("fallback: {on: [500]}")
        ) { world, check in
            let tenant = try await world.scoped()
            _ = try await world.way(of: tenant, #""api_key":"\#(secondKey)""#)
            world.upstream.script(answeringEmpty("503 Busy"))
            check.equal(try await world.exchange(tenant.request()).status, 503, "what is not named")
            world.upstream.script(answeringEmpty("500 Oops"))
            check.usual(try await world.exchange(tenant.request()), "what is named")
            check.equal(
                world.upstream.received.map { $0.fields.first("authorization") },
                ["Bearer \(upstreamKey)", "Bearer \(upstreamKey)", "Bearer \(secondKey)"], "keys")
        },
        HTTPScenario(
            inside: "attempt.rest.as-long-as-asked",
            "A key that was refused rests for as long as the provider says, in seconds or by a date, and then is used again."
        ) { world, check in
            let tenant = try await world.scoped()
            _ = try await world.way(of: tenant, #""api_key":"\#(secondKey)","priority":5"#)
            func key(after status: String, _ retryAfter: String) async throws -> String? {
                world.upstream.script(answeringEmpty(status, fields: "Retry-After: \(retryAfter)\r\n"))
                check.usual(try await world.exchange(tenant.request()), "refused until \(retryAfter)")
                return try await nextKey()
            }
            func nextKey() async throws -> String? {
                check.usual(try await world.exchange(tenant.request()), "the next one")
                return world.upstream.received.last?.fields.first("authorization")
            }
            let (first, second) = ("Bearer \(upstreamKey)", "Bearer \(secondKey)")
            let busy = "429 Too Many Requests"
            check.equal(try await key(after: busy, "Thu, 01 Jan 1970 00:00:00 GMT"), first, "a date that has passed")
            // Without a word of it a key that was refused so rests for a minute.
            for isDate in [false, true] {
                let soon = isDate ? httpDate(inSeconds: 8) : "4"
                check.equal(try await key(after: "401 Unauthorized", soon), second, "until \(soon)")
                check.that(
                    try await eventually(within: .seconds(20)) { try await nextKey() == first },
                    "longer than until \(soon)")
            }
        },
        HTTPScenario(
            inside: "attempt.breaker.one-tries",
            "When an upstream has been left alone for long enough, one request tries; others are refused until it was answered.",
            settings: openAIFile("breaker: {failures: 1, open_for: 4s}")
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.reset])
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset")
            check.refusal(try await world.exchange(tenant.request()), 503, "upstream_circuit_open", "left alone")
            try await ContinuousClock().sleep(for: .milliseconds(4200))
            world.upstream.script(UpstreamStep.readRequest + [.await("probe"), .send(HTTPAnswer.usual)])
            let begin = ContinuousClock.now
            let probe = Task { try await world.exchange(tenant.request()) }
            check.that(try await eventually { world.upstream.received.count == 2 }, "nobody tries")
            var late = 0
            for _ in 0..<3 {
                let answer = try await world.exchange(tenant.request())
                // After as long a silence the next one may try.
                if answer.status == 200, .now - begin > .seconds(4) {
                    late += 1
                } else {
                    check.refusal(answer, 503, "upstream_circuit_open", "beside the one that tries")
                }
            }
            world.upstream.release("probe")
            check.usual(try await probe.value, "the one that tries")
            check.usual(try await world.exchange(tenant.request()), "after it")
            check.equal(world.upstream.received.count, 3 + late, "requests that went on")
        },
        HTTPScenario(
            inside: "attempt.connections.are-bounded",
            "No more unused connections to an upstream are kept than its provider says.", needs: .rawUpstream,
            settings: openAIFile("connection: {max_idle_conns: 1}").merging(["EVENT_LOOPS": "1"]) { $1 }
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 0..<4 {
                world.upstream.script(
                    UpstreamStep.readRequest + [.await("all"), .send(HTTPAnswer.usual), .awaitClose])
            }
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { try await world.exchange(tenant.request()) } }
                check.that(try await eventually { world.upstream.received.count == 4 }, "they are not all there")
                world.upstream.release("all")
                for try await answer in group { check.usual(answer) }
            }
            check.that(
                try await eventually { world.upstream.closedByProxy == 3 },
                "\(world.upstream.closedByProxy) of 4 connections were closed")
        },
        HTTPScenario(
            inside: "attempt.connections.are-kept-as-long-as-said",
            "An unused connection to an upstream is closed when its provider's time for that is over.",
            needs: .rawUpstream, settings: openAIFile("timeouts: {idle_connection: 3s}")
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.usual), .awaitClose])
            let begin = ContinuousClock.now
            check.usual(try await world.exchange(tenant.request()))
            let closed = world.upstream.closedByProxy
            check.that(closed == 0 || .now - begin > .seconds(2), "closed at once")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "it is kept")
        },
    ]

    /// An instant as HTTP's fields have it (RFC 9110 section 5.6.7).
    private static func httpDate(inSeconds seconds: Int) -> String {
        var instant = time(nil) + seconds
        var parts = tm()
        gmtime_r(&instant, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(1900 + parts.tm_year) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }

    private static let secondKey = "sk-second-0123456789"
}
