import ProxyLoad
import Testing

@testable import ProxyLoad

/// What is sent, decided by the request's number alone.
@Suite("The mix")
struct MixTests {
    @Test func choosesPartsByTheirShares() throws {
        let mix = try LoadMix(try LoadMix.parts("chat=8,stream:4096=1,embeddings=1"))
        let chosen = (0..<10_000).map { mix.choice($0).part }
        #expect(chosen == (0..<10_000).map { mix.choice($0).part })
        let counts = (0..<3).map { part in chosen.count { $0 == part } }
        #expect(abs(counts[0] - 8000) < 200 && abs(counts[1] - 1000) < 150 && counts.reduce(0, +) == 10_000)
        #expect(mix.parts[1].request.body.count > 4096 && mix.parts[2].request.path == "/v1/embeddings")
    }

    @Test(arguments: [(0.0, 100, 25), (1.0, 193, 30)])
    func usesTokensAsUnevenlyAsAsked(skew: Double, first: Int, tolerance: Int) throws {
        let mix = try LoadMix(
            try LoadMix.parts("chat"), tokens: (0..<100).map { "token-\($0)" }, skew: skew)
        let counts = (0..<10_000).reduce(into: [Int: Int]()) { $0[mix.choice($1).token ?? -1, default: 0] += 1 }
        #expect(counts.keys.allSatisfy { (0..<100).contains($0) })
        // With skew 1 the first of 100 has a share of 1/5.19.
        #expect(abs((counts[0] ?? 0) - (skew == 0 ? first : first * 10)) < tolerance * (skew == 0 ? 1 : 5))
    }

    @Test(arguments: ["", "chat,", "talk", "chat=0", "chat=x", "chat:0", "chat:x", "chat=1=2"])
    func refusesWhatIsNoMix(text: String) { #expect(throws: LoadError.self) { try LoadMix.parts(text) } }

    @Test func refusesTokensThatWouldBreakTheHead() throws {
        let parts = try LoadMix.parts("chat")
        let error = try #require(throws: LoadError.self) { try LoadMix(parts, tokens: ["sk-secret\r\nX: y"]) }
        #expect(!error.description.contains("secret"))
    }
}

/// Bounds as expressions.
@Suite("A threshold")
struct ThresholdTests {
    private static let figures = ["p99(added)": 4.0, "errors": 0, "warm_up_errors": 2, "rss(server)": 64.0 * 1_048_576]

    @Test(arguments: [
        ("p99(added)<5ms", true), ("p99(added) < 4 ms", false), ("p99(added)<=4ms", true), ("p99(added)>3999us", true),
        ("p99(added)<0.01s", true), ("errors==0", true), ("errors!=0", false), ("errors>=1", false),
        ("warm_up_errors<1", false),
        ("rss(server)<65MiB", true), ("rss(server)<64MiB", false),
    ])
    func comparesFiguresWithBounds(text: String, holds: Bool) throws {
        #expect(try Threshold(text).judge(Self.figures).holds == holds)
    }

    @Test(arguments: [
        "", "errors", "errors=0", "<5", "errors<", "errors<many", "p99(added)<5 minutes", "errors<inf", "errors!=nan",
        "p99(added)<5MiB", "errors<5ms", "rss(server)<64s",
    ])
    func refusesWhatIsNoComparison(text: String) { #expect(throws: LoadError.self) { try Threshold(text) } }

    @Test func doesNotHoldForWhatWasNotMeasured() throws {
        let outcome = try Threshold("p99(first_byte)<1s").judge(Self.figures)
        #expect(outcome.measured == nil && !outcome.holds)
    }

    @Test func namesTheFiguresThereAre() throws {
        let error = try #require(throws: LoadError.self) { try Threshold("losses==0") }
        #expect("\(error)".contains("'losses'") && "\(error)".contains("errors, events"))
    }
}
