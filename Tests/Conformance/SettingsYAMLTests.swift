import Testing

@testable import ProxySettings

/// What is read of YAML, and what is refused.
@Suite struct SettingsYAMLTests {
    @Test(arguments: [
        ("a: 1", #"{"a":"1"}"#),
        ("a:\n  b: 2\n  c:\n    - x\n    - y\n", #"{"a":{"b":"2","c":["x","y"]}}"#),
        ("a:\n- x\n- y\nb: z", #"{"a":["x","y"],"b":"z"}"#),
        ("a: [1, two, \"th,ree\", 'fo,ur']", #"{"a":["1","two","th,ree","fo,ur"]}"#),
        ("a: {b: c, d: [e, {f: g}], h: }", #"{"a":{"b":"c","d":["e",{"f":"g"}],"h":""}}"#),
        ("# only\n---\na: b # c\nd: e#f\n", #"{"a":"b","d":"e#f"}"#),
        ("a: http://x:80/y\nb: x y z", #"{"a":"http://x:80/y","b":"x y z"}"#),
        ("a: b\r\nc: d\r\n", #"{"a":"b","c":"d"}"#),
        ("a: |\n  two\n  lines\n", #"{"a":"two\nlines\n"}"#),
        ("a: ''\nb:\n", #"{"a":"","b":""}"#),
        ("é: ü\n", #"{"é":"ü"}"#),
    ])
    func isReadAsItMeans(text: String, shown: String) throws {
        #expect(Self.shown(try #require(try YAMLReader.read(text))) == shown)
    }

    @Test func knowsTheLineOfEveryNode() throws {
        let root = try #require(try YAMLReader.read("# one\na: b\n\nc:\n  - d\n"))
        guard case .mapping(let entries) = root.content else { throw YAMLFault(line: 0, rule: "no mapping") }
        #expect(entries.map(\.line) == [2, 4])
        #expect(entries[1].value.line == 5)
    }

    @Test(arguments: ["", "# nothing\n", "---\n# nothing\n"])
    func nothingIsNothing(text: String) throws {
        let root = try YAMLReader.read(text)
        #expect(root == nil || root?.content == .scalar("", isQuoted: false))
    }

    @Test(arguments: [
        ("a: &x b", 1, "anchor"), ("a: *x", 1, "alias"), ("a: !!str b", 1, "tag"), ("<<: b", 1, "merges"),
        ("a: b\n---\nc: d", 2, "second document"), ("a: b\na: c", 2, "again"), ("a: [b", 1, "YAML"),
        ("a: \"b", 1, "YAML"), ("a: b: c", 1, "YAML"), ("a:\n\tb: c", 2, "YAML"), ("[a]: b", 1, "collection as a key"),
        ("a: \"\\q\"", 1, "YAML"), ("a: \u{1}", 1, "YAML"),
    ])
    func isRefusedWithItsLine(text: String, line: Int, words: String) throws {
        let fault = try #require(throws: YAMLFault.self) { try YAMLReader.read(text) }
        #expect(fault.rule.contains(words), "\(fault)")
        #expect(fault.line == line || words == "YAML", "\(fault)")
    }

    @Test(arguments: [
        String(repeating: "[", count: 5000), String(repeating: "- ", count: 5000) + "x",
        String(repeating: "a: {", count: 100) + String(repeating: "}", count: 100),
        String(repeating: "x", count: YAMLReader.maxLength + 1),
    ])
    func whatIsTooDeepOrTooLongIsRefused(text: String) {
        #expect(throws: YAMLFault.self) { try YAMLReader.read(text) }
    }

    private static func shown(_ node: YAMLNode) -> String {
        switch node.content {
        case .scalar(let text, _): String(reflecting: text)
        case .sequence(let items): "[" + items.map(shown).joined(separator: ",") + "]"
        case .mapping(let entries):
            "{" + entries.map { String(reflecting: $0.key) + ":" + shown($0.value) }.joined(separator: ",") + "}"
        }
    }
}
