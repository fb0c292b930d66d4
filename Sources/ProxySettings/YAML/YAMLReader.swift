/// Reads the part of YAML 1.2 that settings files use, and refuses the rest by name and line.
///
/// Read are: block mappings and sequences, flow mappings and sequences, plain and quoted scalars on one line, comments,
/// and `---` before the document. Refused are: anchors, aliases, tags, block scalars (`|`, `>`), scalars over several
/// lines, merge keys, directives, tabs, several documents, and a key given twice. A document that is
/// read means what it means to any other YAML reader; the tests compare.
///
/// Our own because the packages that read all of YAML bring the whole of Foundation along: 40 MB of binary.
struct YAMLReader {
    /// Nesting beyond this is refused.
    static let maxDepth = 32
    /// Files longer than this are refused, in bytes.
    static let maxLength = 1 << 20

    /// A line that holds something, without its indentation.
    struct Line {
        let number: Int
        var indent: Int
        var text: Substring
    }

    private var lines: [Line] = []
    private var position = 0

    /// Gives the document's root; `nil` when nothing is in it but comments.
    static func read(_ text: String) throws(YAMLFault) -> YAMLNode? {
        guard text.utf8.count <= maxLength else { throw YAMLFault(line: 1, rule: "begins a file of more than 1 MiB") }
        var reader = try YAMLReader(text)
        guard let first = reader.lines.first else { return nil }
        let root = try reader.block(minimum: 0, depth: 0)
        if let rest = reader.current { throw YAMLFault(line: rest.number, rule: Self.strayRule(rest, first)) }
        return root
    }

    private init(_ text: String) throws(YAMLFault) {
        var number = 0
        var hasBegun = false
        for raw in text.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
            number += 1
            let line = number == 1 && raw.first == "\u{FEFF}" ? raw.dropFirst() : raw
            let content = line.drop { $0 == " " }
            guard let first = content.first, first != "#" else { continue }
            if content.contains("\t") { throw YAMLFault(line: number, rule: "holds a tab, where spaces are wanted") }
            if let control = content.unicodeScalars.first(where: { $0.value < 0x20 }) {
                throw YAMLFault(line: number, rule: "holds the control character \(control.value)")
            }
            if line.hasPrefix("%") { throw YAMLFault(line: number, rule: "is a directive, which is not read here") }
            if line == "---" || line.hasPrefix("--- ") {
                let after = line.dropFirst(3).trimmed
                guard !hasBegun, after.isEmpty || after.first == "#" else {
                    throw YAMLFault(line: number, rule: "begins a second document")
                }
                hasBegun = true
                continue
            }
            if line == "..." { throw YAMLFault(line: number, rule: "ends the document, which is not read here") }
            hasBegun = true
            lines.append(Line(number: number, indent: line.count - content.count, text: content.trimmed))
        }
    }

    private var current: Line? { position < lines.count ? lines[position] : nil }

    private static func strayRule(_ line: Line, _ first: Line) -> String {
        line.indent == first.indent
            ? "does not continue what is above it" : "has an indentation that fits no line above"
    }

    // MARK: Blocks

    /// The node that begins on the current line, which must be indented by at least `minimum`.
    private mutating func block(minimum: Int, depth: Int) throws(YAMLFault) -> YAMLNode {
        guard let line = current, line.indent >= minimum else {
            return YAMLNode(content: .scalar("", isQuoted: false), line: current?.number ?? lines.last?.number ?? 1)
        }
        guard depth < Self.maxDepth else { throw YAMLFault(line: line.number, rule: "is nested too deeply") }
        if Self.isItem(line.text) { return try sequence(at: line.indent, depth: depth) }
        if try YAMLScalar.key(of: line.text, line: line.number) != nil {
            return try mapping(at: line.indent, depth: depth)
        }
        return try inline(line.text, depth: depth)
    }

    private static func isItem(_ text: Substring) -> Bool { text == "-" || text.hasPrefix("- ") }

    private mutating func sequence(at indent: Int, depth: Int) throws(YAMLFault) -> YAMLNode {
        let start = current?.number ?? 1
        var items: [YAMLNode] = []
        while let line = current, line.indent == indent, Self.isItem(line.text) {
            let rest = line.text.dropFirst()
            let content = rest.drop { $0 == " " }
            if content.isEmpty || content.first == "#" {
                position += 1
                items.append(try nested(deeperThan: indent, line: line.number, depth: depth))
            } else {
                // `- key: value`: what follows the dash is a line of its own, indented as it stands.
                lines[position].indent = indent + 1 + rest.count - content.count
                lines[position].text = content
                items.append(try block(minimum: indent + 1, depth: depth + 1))
            }
        }
        return YAMLNode(content: .sequence(items), line: start)
    }

    private mutating func mapping(at indent: Int, depth: Int) throws(YAMLFault) -> YAMLNode {
        let start = current?.number ?? 1
        var entries: [YAMLEntry] = []
        while let line = current, line.indent == indent, !Self.isItem(line.text) {
            guard let (key, rest) = try YAMLScalar.key(of: line.text, line: line.number) else {
                throw YAMLFault(line: line.number, rule: "is not \"key: value\"")
            }
            guard !entries.contains(where: { $0.key == key }) else {
                throw YAMLFault(line: line.number, rule: "gives the key \"\(SettingFault.printable(key))\" again")
            }
            let value: YAMLNode
            if rest.isEmpty || rest.first == "#" {
                position += 1
                if let next = current, next.indent == indent, Self.isItem(next.text) {
                    value = try sequence(at: indent, depth: depth + 1)
                } else {
                    value = try nested(deeperThan: indent, line: line.number, depth: depth)
                }
            } else {
                value = try inline(rest, depth: depth + 1)
            }
            entries.append(YAMLEntry(key: key, line: line.number, value: value))
        }
        return YAMLNode(content: .mapping(entries), line: start)
    }

    /// What stands indented below `line`; an absent value when nothing does.
    private mutating func nested(deeperThan indent: Int, line: Int, depth: Int) throws(YAMLFault) -> YAMLNode {
        guard let next = current, next.indent > indent else {
            return YAMLNode(content: .scalar("", isQuoted: false), line: line)
        }
        return try block(minimum: indent + 1, depth: depth + 1)
    }

    // MARK: Inline values

    /// The value that begins with `text` on the current line; passes that line and those a flow collection goes over.
    private mutating func inline(_ text: Substring, depth: Int) throws(YAMLFault) -> YAMLNode {
        let line = lines[position].number
        position += 1
        guard text.first == "[" || text.first == "{" else {
            let (value, isQuoted) = try YAMLScalar.whole(text, line: line)
            return YAMLNode(content: .scalar(value, isQuoted: isQuoted), line: line)
        }
        var flow = YAMLFlow(line: line, text: text)
        while !(try flow.isClosed()) {
            guard let next = current, next.indent > 0 || next.text.first == "]" || next.text.first == "}" else {
                throw YAMLFault(line: line, rule: "opens a bracket that is not closed")
            }
            flow.append(next)
            position += 1
        }
        return try flow.node(depth: depth)
    }
}
