import Testing

@testable import ProxyPages

@Suite("Templates")
struct TemplateTests {
    private func render(
        _ text: String, _ view: [String: Any], partials: [String: String] = [:]
    ) throws -> String { try Templates.render(text: text, partials: partials, view) }

    @Test func everyTemplateOfThePagesCanBeParsed() { #expect(Templates.faults == []) }

    @Test func valuesAreEscapedUnlessTheyAreMarkup() throws {
        let text = "<b a='\"&'>\u{22}\u{301}"
        let shown = try render("{{x}}|{{{x}}}|{{ x }}", ["x": text])
        let escaped = "&lt;b a=&#39;&quot;&amp;&#39;&gt;&quot;\u{301}"
        #expect(Array(shown.utf8) == Array("\(escaped)|\(text)|\(escaped)".utf8))
        #expect(try render("{{n}} {{f}} {{nothing}}.", ["n": 7, "f": 0.5]) == "7 0.5 .")
    }

    @Test func sectionsAreShownForWhatThereIs() throws {
        let view: [String: Any] = [
            "yes": true, "no": false, "empty": [String](), "names": ["a", "b"],
            "rows": [["name": "x"], ["name": "y", "more": "z"]], "inner": ["deep": ["name": "d"]], "name": "outer",
            "none": Optional<String>.none as Any, "some": Optional("s") as Any,
        ]
        #expect(try render("{{#yes}}1{{/yes}}{{#no}}2{{/no}}{{^yes}}3{{/yes}}{{^no}}4{{/no}}", view) == "14")
        #expect(try render("{{#empty}}1{{/empty}}{{^empty}}2{{/empty}}{{^absent}}3{{/absent}}", view) == "23")
        #expect(try render("{{#names}}[{{.}}]{{/names}}{{^names}}x{{/names}}", view) == "[a][b]")
        #expect(try render("{{#rows}}{{name}}{{more}},{{/rows}}{{name}}", view) == "x,yz,outer")
        #expect(try render("{{inner.deep.name}} {{#inner}}{{deep.name}}{{name}}{{/inner}}", view) == "d douter")
        #expect(try render("{{#none}}1{{/none}}{{^none}}2{{/none}}{{#some}}{{.}}{{/some}}{{some}}", view) == "2ss")
    }

    @Test func linesThatShowNothingAreNone() throws {
        let text = "a\n{{#yes}}\n  b\n  {{/yes}}\n{{! remark }}\n{{> part}}\nc {{#yes}}d{{/yes}}\ne"
        #expect(try render(text, ["yes": true], partials: ["part": "p\n"]) == "a\n  b\np\nc d\ne")
    }

    @Test(arguments: ["{{", "{{x", "{{}}", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}", "{{#a}}{{#b}}{{/a}}{{/b}}", "{{{x}}"])
    func whatIsNoTemplateIsRefused(_ text: String) {
        #expect(throws: Template.Fault.self) { try Template(text) }
    }
}
