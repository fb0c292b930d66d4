import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// How the program ends, in good order and otherwise.
    static let ending: [CommandScenario] = [
        CommandScenario(
            "command.kill.loses-nothing-acknowledged",
            "After kill -9 every answered request is counted once, and open ones are in doubt."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            for _ in 1...7 { check.usual(try await server.exchange(tenant.request())) }
            bench.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("data: 1\n\n")), .awaitClose,
                ])
            var open = try await server.talk()
            try await open.send(tenant.request())
            _ = try await open.head()
            try await server.kill()
            check.that(await open.ending() != nil, "the stream stayed open")
            let again = try await bench.serve()
            let token = try await again.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(token["request_count"].integer, 8, "count")
            check.usual(try await again.exchange(tenant.request()), "after the restart")
            check.equal(try await again.stop(), 0, "exit code")
            let storage = try await bench.openStorage(at: "data/llm-proxy.db")
            let rows = try await storage.requests(of: tenant.tokenID, after: nil, limit: 20)
            check.equal(rows.count, 9, "rows")
            check.equal(
                rows.dropFirst(7).map(\.admission.settlement?.outcome), [.inDoubt, .completed], "the last outcomes")
            check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
            await storage.close()
        },
        CommandScenario(
            "command.kill.under-load-loses-nothing",
            "Killed under load, it has counted at least what was answered, and nothing twice."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            let answered = await withTaskGroup(of: Int.self) { group in
                for client in 0..<8 {
                    group.addTask {
                        var answers = 0
                        guard var conversation = try? await server.talk() else { return 0 }
                        for _ in 0..<200 {
                            guard (try? await conversation.send(tenant.request())) != nil,
                                (try? await conversation.response().status) == 200
                            else { break }
                            answers += 1
                            if client == 0, answers == 25 { server.command.kill() }
                        }
                        return answers
                    }
                }
                return await group.reduce(0, +)
            }
            let again = try await bench.serve()
            check.equal(try await again.stop(), 0, "exit code")
            let storage = try await bench.openStorage(at: "data/llm-proxy.db")
            let counted = Int(try await storage.token(tenant.tokenID).requestCount)
            check.that(
                answered >= 25 && counted >= answered && counted <= answered + 8,
                "\(answered) answered, \(counted) counted")
            check.that(counted <= bench.upstream.received.count + 8, "more counted than sent")
            check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
            await storage.close()
        },
        CommandScenario(
            "command.stop.finishes-and-exits-0",
            "SIGTERM lets an open stream finish, refuses new connections, and ends with 0."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            bench.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .await("go"),
                    .send(HTTPAnswer.chunk("data: 1\n\n") + HTTPAnswer.lastChunk),
                ])
            var conversation = try await server.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            server.command.terminate()
            let isRefused = try await eventually { (try? await server.connect()) == nil }
            check.that(isRefused, "new connections are still taken")
            check.equal(server.command.exitCode, nil, "exit code while a stream is open")
            bench.upstream.release("go")
            let rest = try await conversation.body(of: head)
            check.equal(rest.text, "data: 1\n\n", "body")
            check.equal(rest.end, .complete, "end")
            check.that(try await eventually { server.command.exitCode != nil }, "it did not end")
            check.equal(server.command.exitCode, 0, "exit code")
        },
        CommandScenario(
            "command.stop.cuts-after-its-grace", "A stream that does not end is cut after the grace, and written down."
        ) { bench, check in
            let server = try await bench.serve(["SHUTDOWN_GRACE": "300ms"])
            let tenant = try await server.tenant()
            bench.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.chunkedHead()), .awaitClose])
            var conversation = try await server.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            check.equal(try await server.stop(), 0, "exit code")
            check.that(try await conversation.body(of: head).end != .complete, "the stream ended as if it were whole")
            let storage = try await bench.openStorage(at: "data/llm-proxy.db")
            let rows = try await storage.requests(of: tenant.tokenID, after: nil, limit: 9)
            check.equal(rows.count, 1, "rows")
            check.that(rows.first?.admission.settlement != nil, "the request is still open")
            await storage.close()
        },
        CommandScenario(
            "command.output.holds-no-secret", "Nothing the program writes holds a token, a key or the management token."
        ) { bench, check in
            let server = try await bench.serve(["LOG_LEVEL": "debug"])
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request("/v1/models?key=\(tenant.secret)")))
            bench.upstream.script(UpstreamStep.readRequest + [.send(text: "\(upstreamKey)\r\n\r\n")])
            _ = try await server.exchange(tenant.request())
            _ = try await server.manage("POST", "/manage/projects", #"{"\#(upstreamKey)":1}"#)
            _ = try await server.exchange(raw: "GET /v1 HTTP/1.1\r\nAuthorization : Bearer \(tenant.secret)\r\n\r\n")
            check.equal(try await server.stop(), 0, "exit code")
            let output = server.command.output
            check.that(output.contains(tenant.tokenID.text), "nothing was logged")
            for secret in [tenant.secret, upstreamKey, server.managementToken] {
                check.that(!output.contains(secret), "a secret was written")
            }
        },
    ]

    /// What stays bounded whatever comes.
    static let bounds: [CommandScenario] = [
        CommandScenario(
            "command.memory.idle-is-given-back",
            "A server that has had nothing to do for a while needs less memory than when it served, and serves again.",
            tags: .slow
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()), "a first request")
            let busy = server.command.residentBytes ?? 0
            let isLess = try await eventually(within: .seconds(60)) {
                try await Task.sleep(for: .milliseconds(200))
                return (server.command.residentBytes ?? busy) < busy - (1 << 20)
            }
            check.that(isLess, "still \(server.command.residentBytes ?? 0) bytes, \(busy) when it served")
            check.usual(try await server.exchange(tenant.request()), "afterwards")
        },
        CommandScenario(
            "command.memory.slow-reader-is-bounded",
            "A stream that is larger than memory should be, read slowly, does not gather in the proxy.",
            tags: [.slow, .alone]
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()), "a first request")
            let before = server.command.residentBytes ?? 0
            let chunk = HTTPAnswer.chunk([UInt8](repeating: 66, count: 65_536))
            let count = bench.largeStreamMebibytes * 16
            bench.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .sendTimes(chunk, count), .send(HTTPAnswer.lastChunk),
                ])
            let conversation = try await server.talk()
            try await conversation.send(tenant.request())
            var received = 0
            var largest = 0
            while received < count * chunk.count {
                // A pause every 16 MiB: what is looked at is what gathers meanwhile.
                if received >> 24 != (received - 1) >> 24 { try await ContinuousClock().sleep(for: .milliseconds(50)) }
                let bytes = try await conversation.connection.receive(atMost: 1 << 20, within: .seconds(20))
                guard !bytes.isEmpty else { break }
                received += bytes.count
                largest = max(largest, server.command.residentBytes ?? 0)
            }
            check.that(received >= count * chunk.count, "only \(received) bytes came")
            check.that(largest - before < 24 << 20, "memory grew from \(before >> 20) to \(largest >> 20) MiB")
        },
        CommandScenario(
            "command.memory.slow-upload-is-bounded",
            "A body that the upstream does not take does not gather in the proxy.", tags: [.slow, .alone]
        ) { bench, check in
            let server = try await bench.serve(["MAX_REQUEST_SIZE": "2GiB"])
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()), "a first request")
            let before = server.command.residentBytes ?? 0
            bench.upstream.script([.readHead, .await("go"), .close])
            let length = bench.largeStreamMebibytes << 20
            let conversation = try await server.talk()
            try await conversation.send(tenant.request(body: nil, fields: [HTTPField("Content-Length", "\(length)")]))
            let part = [UInt8](repeating: 97, count: 1 << 20)
            let sending = Task { for _ in 0..<bench.largeStreamMebibytes { try await conversation.send(part) } }
            // Not for synchronisation: time for bytes to gather, if they do.
            try await ContinuousClock().sleep(for: .seconds(2))
            let largest = server.command.residentBytes ?? 0
            check.that(
                largest > 0 && largest - before < 24 << 20, "memory grew from \(before >> 20) to \(largest >> 20) MiB")
            await conversation.connection.reset()
            bench.upstream.release("go")
            _ = await sending.result
            check.usual(try await server.exchange(tenant.request()), "another request")
        },
        CommandScenario(
            "command.fuzz.survives", "Twenty thousand broken requests later it serves as before, and has not grown.",
            tags: [.slow, .hostile, .alone]
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            let seeds = Fuzzer.seeds(tenant, managementToken: server.managementToken)
            let warm = try await Fuzzer.run(2_000, seed: 1, on: server, seeds: seeds)
            let before = server.command.residentBytes ?? 0
            let run = try await Fuzzer.run(20_000, seed: 2, on: server, seeds: seeds)
            let after = server.command.residentBytes ?? 0
            check.equal(warm.sent + run.sent, 22_000, "requests sent")
            check.that(run.answered > 1_000, "only \(run.answered) answers")
            check.equal(run.hung, 0, "connections that stayed open")
            check.equal(server.command.exitCode, nil, "exit code")
            check.that(after - before < 16 << 20, "memory grew from \(before >> 20) to \(after >> 20) MiB")
            check.usual(try await server.exchange(tenant.request()), "a good request")
            check.equal(try await server.stop(), 0, "exit code in the end")
            // Asked of the database: after so many wrong management tokens the server hears none for a while.
            let storage = try await bench.openStorage(at: "data/llm-proxy.db")
            let admitted = try await storage.token(tenant.tokenID).requestCount
            check.that(admitted > 1_000, "only \(admitted) fuzzed requests were admitted")
            check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
            await storage.close()
        },
    ]
}
