import Testing

@testable import ProxyBlackBox

@Suite("Upstream double")
struct ScriptedUpstreamTests {
    @Test("What was sent before it is cleared counts for nobody after it")
    func forgetsWhatIsUnderWay() async throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        for round in 1...300 {
            let before = try await SocketConnection.connect(port: upstream.port)
            try await before.send(Array("GET /before HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            upstream.clear()
            // Ends when the double has done with the connection.
            while let bytes = try? await before.receive(atMost: 1000, within: .seconds(5)), !bytes.isEmpty {}
            #expect(upstream.received.isEmpty && upstream.connectionCount == 0, "round \(round)")
            await before.close()
        }
    }
}
