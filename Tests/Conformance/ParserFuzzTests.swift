import FuzzFixtures
import Testing

/// A short run of what `Benchmarks/parser-fuzz` does at length.
@Suite(.serialized) struct ParserFuzzTests {
    @Test("holds whatever it is fed", arguments: FuzzTarget.all)
    func holds(_ target: FuzzTarget) {
        let seed = UInt64.random(in: 0...UInt64.max)
        let findings = target.run(1000, seed: seed)
        #expect(findings.isEmpty, "seed \(seed):\n\(findings.joined(separator: "\n"))")
    }

    /// One that is fed nothing but what it refuses proves nothing.
    @Test("has something to begin with", arguments: FuzzTarget.all)
    func hasCorpus(_ target: FuzzTarget) { #expect(target.corpusSize >= 4) }
}
