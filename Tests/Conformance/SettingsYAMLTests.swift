import Testing
import Yams

@testable import ProxySettings

/// The own YAML reader against Yams, a reader of all YAML: what ours reads, Yams reads alike.
@Suite struct SettingsYAMLTests {
    private static let good = [
        "a: 1", "a:\n  b: 2\n  c:\n    - x\n    - y\n", "a:\n- x\n- y\nb: z", "- a\n- b: c\n  d: e\n- - f\n  - g\n",
        "a: [1, two, \"th,ree\", 'fo''ur']", "a: {b: c, d: [e, {f: g}], h: }",
        "a: [\n  b,\n  c # comment\n  ,d\n]\ne: f\n",
        "# only\n---\na: b # c\nd: e#f\n", "\"a b\": 'c: d'\n'e': \"f\\tg\\u00e9\\\"\"\n",
        "a: b: c".replacing(": c", with: ":c"),
        "a: http://x:80/y\nb: x y z", "a:\n\n  b: c\n\n\nd:", "a: -1\nb: - \n".replacing("b: - \n", with: "b: -x\n"),
        "a:\n    b: 1\nc:\n  d: 2\n", "a: ''\nb: \"\"\n", "-\n  a: b\n-\n  - c\n", "a: [ ]\nb: { }\n",
        "a: x#y\nb: 'x' # y\n",
        "a: [http://x/y, b]\n", "a: {x: http://y/z}\n", "é: ü\n", "a: [\"x\", y,]\n", "a: b\r\nc: d\r\n",
        "- a: [b]\n  c: d",
        "a: \"x # y\"\nb: [\"]\", '}']\n", "a: {\"b\": c}\n", "a: it's\nb: [it's, x]\n", "a: ?x\nb: :y\n",
    ]

    @Test(arguments: good)
    func whatOursReadsYamsReadsAlike(text: String) throws {
        let ours = try #require(try YAMLReader.read(text))
        let theirs = try #require(try compose(yaml: text))
        #expect(Self.shown(ours) == Self.shown(theirs))
    }

    @Test(arguments: [
        "a: &x b", "a: *x", "a: !!str b", "a: |\n  b", "a: >\n  b", "<<: b", "%YAML 1.2\n---\na: b", "a: b\n---\nc: d",
        "\ta: b", "a:\n\tb: c", "a: b\na: c", "a: [b", "a: [b\nc: d", "a: \"b", "a: 'b", "a: b: c", "a: \"b\" c",
        "a: b\n c: d",
        "a:\n  b: c\n d: e", "- a\nb: c", "a: b\n- c", "a: [b c: d]]", "a: {b}", "a: {b: c, b: d}", "a: {[b]: c}",
        "? a\n: b",
        "a: @b", "a: `b", "a: ]", "just text\nmore text", "a: [b] c", "a: \"\\q\"", "a: [,]", "a\nb: c", "a: \u{1}",
        "...",
        "a: \"\\uD800\"", "a: [b, - c]",
    ])
    func whatIsNotReadIsRefusedWithALine(text: String) {
        #expect(throws: YAMLFault.self) { try YAMLReader.read(text) }
    }

    @Test func deepNestingIsRefusedInEveryShape() {
        for text in [
            String(repeating: "[", count: 5000), String(repeating: "- ", count: 5000) + "x",
            (0..<5000).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
            String(repeating: "a: {", count: 100) + String(repeating: "}", count: 100),
        ] {
            #expect(throws: YAMLFault.self) { try YAMLReader.read(text) }
        }
    }

    @Test func randomDocumentsAreRefusedOrReadAsYamsReadsThem() {
        var random = SplitMix(state: 20_261_123)
        let parts = [
            "a", "b", ": ", ":", "- ", "-", "\n", "\n  ", "\n    ", " ", "[", "]", "{", "}", ", ", "\"", "'", "#", " #",
            "x y", "\\", "?", "1", "~", "\t",
        ]
        var agreed = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...14, using: &random)).map { _ in parts.randomElement(using: &random)! }
                .joined()
            guard let ours = try? YAMLReader.read(text) else { continue }
            let theirs = try? compose(yaml: text)
            if theirs.map({ Self.shown($0) }) != Self.shown(ours) {
                Issue.record(
                    "\(String(reflecting: text)): \(Self.shown(ours)), not \(theirs.map { Self.shown($0) } ?? "-")")
            }
            agreed += 1
        }
        #expect(agreed > 1000)
    }

    private static func shown(_ node: YAMLNode) -> String {
        switch node.content {
        case .scalar(let text, _): String(reflecting: text)
        case .sequence(let items): "[" + items.map(shown).joined(separator: ",") + "]"
        case .mapping(let entries):
            "{" + entries.map { String(reflecting: $0.key) + ":" + shown($0.value) }.joined(separator: ",") + "}"
        }
    }

    private static func shown(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): String(reflecting: scalar.string)
        case .sequence(let sequence): "[" + sequence.map(shown).joined(separator: ",") + "]"
        case .mapping(let mapping):
            "{" + mapping.map { shown($0.key) + ":" + shown($0.value) }.joined(separator: ",") + "}"
        case .alias: "alias"
        }
    }
}

/// A small generator whose run its seed repeats (Steele, Lea, Flood 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
