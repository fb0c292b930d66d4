import ProxyWire
import Testing
import WireFixtures

@Suite struct ParameterRulesTests {
    private func isAllowed(_ value: String, by patterns: [String]) -> Bool {
        octets("a=\(value)").withUnsafeBytes { ParameterRules(["a": patterns]).violation(inQuery: $0) == nil }
    }

    @Test(arguments: [
        ("gpt-4o", ["gpt-4o"], true), ("gpt-4o", ["gpt-4"], false), ("gpt-4o", ["gpt-4*"], true), ("", ["*"], true),
        ("", ["a"], false), ("abcabc", ["a*c"], true), ("abcab", ["a*c"], false), ("abc", ["*b*"], true),
        ("abc", ["*d*"], false), ("aaab", ["*aab"], true), ("ab", ["a**b"], true), ("ab", ["b", "a*"], true),
        ("a*b", ["a*b"], true), ("A", ["a"], false),
    ])
    func aStarStandsForAnyText(value: String, patterns: [String], isAllowed: Bool) {
        #expect(self.isAllowed(value, by: patterns) == isAllowed)
    }

    /// A pattern of many stars against a text that almost fits must not take for ever.
    @Test func patternsAreMatchedInBoundedTime() {
        let text = String(repeating: "a", count: 20_000)
        #expect(!isAllowed(text, by: [String(repeating: "a*", count: 100) + "b"]))
    }

    private static let parts = """
        --XX\r
        Content-Disposition: form-data; name="model"\r
        \r
        gpt-4o\r
        --XX\r
        Content-Disposition: form-data; name="file"; filename="a.wav"\r
        Content-Type: audio/wav\r
        \r
        \u{1}\u{2}--X\r
        --X\r
        \r
        --XX--\r

        """

    /// However a body is spoilt, it is allowed only if what is allowed is all that it says.
    @Test func spoiltBodiesAreNeverAllowedWithAnotherValue() {
        let rules = ParameterRules(["model": ["gpt-4o"]])
        let forms = [
            (Self.parts, "multipart/form-data; boundary=XX"),
            (#"{"model":"gpt-4o","a":[1,{"b":"c"}]}"#, "application/json"),
            ("a=b&model=gpt-4o&c", "application/x-www-form-urlencoded"),
        ]
        var random = SeededRandom(runSeed())
        for (body, type) in forms {
            let (sound, type) = (octets(body), octets(type))
            func violation(_ bytes: [UInt8]) -> ParameterRules.Violation? {
                let memory = GuardedBytes(capacity: bytes.count)
                return type.withUnsafeBytes { type in
                    memory.with(bytes[...]) { rules.violation(in: $0, contentType: type) }
                }
            }
            #expect(violation(sound) == nil)
            for cut in 1..<sound.count { _ = violation(Array(sound[..<cut])) }
            for _ in 0..<2000 {
                var spoilt = sound
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    spoilt[Int.random(in: spoilt.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                _ = violation(spoilt)
                // Another model under the same name is what the rule is there for.
                let other = text(sound).replacing("gpt-4o", with: "o1")
                #expect(violation(octets(other)) == .value(of: "model"))
            }
        }
    }
}
