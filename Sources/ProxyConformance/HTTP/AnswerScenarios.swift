extension HTTPScenario {
    /// Answers of the upstream, on their way to the client.
    static let answers: [HTTPScenario] = [
        HTTPScenario("answer.sized.byte-for-byte", "A sized answer arrives as it was sent, whatever its bytes.") {
            world, check in
            let tenant = try await world.tenant()
            let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.sized(body, fields: "Content-Encoding: gzip\r\n"))])
            let response = try await world.exchange(tenant.request())
            check.that(response.body == body, "another body")
            check.equal(response.fields.all("content-length"), ["300000"], "Content-Length")
            check.equal(response.fields.all("content-encoding"), ["gzip"], "Content-Encoding")
        },
        HTTPScenario("answer.large.byte-for-byte", "Eight megabytes arrive as they were sent.") { world, check in
            let tenant = try await world.tenant()
            let body = [UInt8](repeating: 0x6C, count: 8 << 20)
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.sized(body))])
            check.that(try await world.exchange(tenant.request()).body == body, "another body")
        },
        HTTPScenario(
            "answer.chunked.keeps-its-chunks", "An answer in chunks arrives in the same chunks.",
            needs: [.rawBytes, .rawUpstream]
        ) {
            world, check in
            let tenant = try await world.tenant()
            let sizes = [1, 16, 2, 4096, 70_000, 3]
            let chunks = sizes.flatMap { HTTPAnswer.chunk([UInt8](repeating: 65, count: $0)) }
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.chunkedHead() + chunks + HTTPAnswer.lastChunk)])
            let response = try await world.exchange(tenant.request())
            check.equal(response.chunks, sizes, "chunks")
            check.equal(response.end, .complete, "end")
        },
        HTTPScenario("answer.empty.stays-empty", "An answer of no bytes arrives as such, sized or in chunks.") {
            world, check in
            let tenant = try await world.tenant()
            for answer in [HTTPAnswer.sized([]), HTTPAnswer.chunkedHead() + HTTPAnswer.lastChunk] {
                world.upstream.script(UpstreamStep.readRequest + [.send(answer)])
                let response = try await world.exchange(tenant.request())
                check.equal(response.status, 200, "status")
                check.equal(response.body, [], "body")
                check.equal(response.end, .complete, "end")
            }
        },
        HTTPScenario(
            "answer.trailers.pass", "An answer's trailers arrive after its body.", needs: [.rawBytes, .rawUpstream]
        ) { world, check in
            let tenant = try await world.tenant()
            let end = Array("0\r\nX-Sum: 7\r\nX-Time: 1ms\r\n\r\n".utf8)
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("abc") + end)])
            let response = try await world.exchange(tenant.request())
            check.equal(response.trailers, [HTTPField("X-Sum", "7"), HTTPField("X-Time", "1ms")], "trailers")
            check.equal(response.text, "abc", "body")
        },
        HTTPScenario(
            "answer.until-close.ends-with-the-connection",
            "An answer that ends with the upstream's connection ends with the client's.",
            needs: [.rawBytes, .rawUpstream]
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.send(text: "HTTP/1.1 200 OK\r\n\r\nall of it"), .close])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let response = try await conversation.response()
            check.equal(response.text, "all of it", "body")
            check.equal(response.end, .complete, "end")
            check.equal(response.fields.all("connection"), ["close"], "Connection")
        },
        HTTPScenario(
            "answer.head.has-no-body", "The answer to HEAD has the length and no body, and the connection goes on.",
            needs: .rawUpstream
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [.send(text: "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request("/v1/models", method: "HEAD", body: nil))
            let response = try await conversation.response(to: "HEAD")
            check.equal(response.fields.all("content-length"), ["500"], "Content-Length")
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response(), "the next answer")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario("answer.bodiless.have-no-body", "204 and 304 have no body, and the connection goes on.") {
            world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            for status in ["204 No Content\r\n", "304 Not Modified\r\nContent-Length: 12\r\nETag: \"x\"\r\n"] {
                world.upstream.script(UpstreamStep.readRequest + [.send(text: "HTTP/1.1 \(status)\r\n")])
                try await conversation.send(tenant.request("/v1/models", method: "GET", body: nil))
                let response = try await conversation.response(to: "GET")
                check.equal("\(response.status)", String(status.prefix(3)), "status")
                check.equal(response.body, [], "body of \(status.prefix(3))")
            }
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response(), "the next answer")
        },
        HTTPScenario("answer.interim.pass", "Interim answers pass, each with its fields, before the final one.") {
            world, check in
            let tenant = try await world.tenant()
            let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
            world.upstream.script(UpstreamStep.readRequest + [.send(text: hints), .send(HTTPAnswer.usual)])
            let response = try await world.exchange(tenant.request())
            check.equal(response.interim.map(\.status), [103, 102], "interim answers")
            check.equal(response.interim.first?.fields.all("link"), ["</a>; rel=preload"], "Link")
            check.usual(response)
        },
        HTTPScenario(
            "answer.old-upstream.is-understood", "An upstream that speaks HTTP/1.0 is answered for in HTTP/1.1."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [.send(text: "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold"), .close])
            let response = try await world.exchange(tenant.request())
            check.equal(response.text, "old", "body")
            check.equal(response.head.minorVersion, 1, "version")
            check.usual(try await world.exchange(tenant.request()), "the next answer")
        },
        HTTPScenario("answer.bytewise.is-one-answer", "An answer that the upstream writes byte by byte is one answer.")
        { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.sendBytewise(HTTPAnswer.usual)])
            check.usual(try await world.exchange(tenant.request()))
        },
    ]

    /// Answers that come bit by bit.
    static let streams: [HTTPScenario] = [
        HTTPScenario(
            "stream.first-chunk.comes-at-once", "The client has the first event before the upstream sends the second."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("data: one\n\n")), .await("go"),
                    .send(HTTPAnswer.chunk("data: two\n\n") + HTTPAnswer.lastChunk),
                ])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            check.equal(try await conversation.chunk(), Array("data: one\n\n".utf8), "first event")
            world.upstream.release("go")
            let rest = try await conversation.body(of: head)
            check.equal(rest.text, "data: two\n\n", "second event")
            check.equal(rest.end, .complete, "end")
        },
        HTTPScenario("stream.head.comes-at-once", "The client has the head before the upstream sends any of the body.")
        { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.chunkedHead()), .await("go"), .send(HTTPAnswer.lastChunk)])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            check.equal(head.status, 200, "status")
            world.upstream.release("go")
            check.equal(try await conversation.body(of: head).end, .complete, "end")
        },
        HTTPScenario(
            "stream.events.byte-for-byte",
            "Events written byte by byte arrive byte for byte, in the upstream's chunks.",
            needs: [.rawBytes, .rawUpstream]
        ) { world, check in
            let tenant = try await world.tenant()
            let events = "data: {\"a\":\"caf\u{e9} 👍\"}\n\n: comment\n\nevent: x\r\ndata: y\r\n\r\ndata: [DONE]\n\n"
            let chunks = Array(events.utf8).map { HTTPAnswer.chunk([$0]) }
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .sendBytewise(HTTPAnswer.chunkedHead() + chunks.flatMap { $0 } + HTTPAnswer.lastChunk)
                ])
            let response = try await world.exchange(tenant.request())
            check.equal(response.body, Array(events.utf8), "bytes")
            check.equal(response.chunks, [Int](repeating: 1, count: events.utf8.count), "chunks")
            check.equal(response.end, .complete, "end")
        },
        HTTPScenario("stream.many.at-once", "Fifty streams at once each get their own events.") { world, check in
            let tenant = try await world.tenant()
            for _ in 0..<50 {
                let chunks = (0..<20).flatMap { HTTPAnswer.chunk("data: \($0)\n\n") }
                world.upstream.script(
                    UpstreamStep.readRequest + [
                        .send(HTTPAnswer.chunkedHead()), .send(chunks), .send(HTTPAnswer.lastChunk),
                    ])
            }
            let wanted = (0..<20).map { "data: \($0)\n\n" }.joined()
            let good = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        let response = try await world.exchange(tenant.request())
                        return response.text == wanted && response.end == .complete
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            check.equal(good, 50, "whole streams")
        },
        HTTPScenario(
            "stream.slow-reader.gets-everything", "A client that stops reading for a while still gets every byte.",
            needs: [.rawBytes, .rawUpstream]
        ) { world, check in
            let tenant = try await world.tenant()
            let chunk = HTTPAnswer.chunk([UInt8](repeating: 66, count: 65_536))
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .sendTimes(chunk, 256), .send(HTTPAnswer.lastChunk),
                ])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            check.equal(try await conversation.chunk().count, 65_536, "first chunk")
            // What the client does not read stays with the upstream, but for what the buffers on the way hold.
            check.usual(try await world.exchange(tenant.request()), "another client meanwhile")
            let rest = try await conversation.body(of: head)
            check.equal(rest.body.count, 255 * 65_536, "the rest")
            check.equal(rest.end, .complete, "end")
        },
    ]
}
