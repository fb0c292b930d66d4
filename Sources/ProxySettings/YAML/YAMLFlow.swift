/// A collection in brackets, which may go over several lines: `[a, b]`, `{key: value}`.
struct YAMLFlow {
    private var lines: [(number: Int, text: Substring)]
    private var row = 0
    private var column: Substring.Index

    init(line: Int, text: Substring) {
        lines = [(line, text)]
        column = text.startIndex
    }

    mutating func append(_ line: YAMLReader.Line) { lines.append((line.number, line.text)) }

    /// Whether as many brackets have been closed as opened, quotes and comments aside.
    func isClosed() throws(YAMLFault) -> Bool {
        var depth = 0
        for (number, text) in lines {
            var rest = text
            var previous: Character = " "
            while let next = rest.first {
                if next == "#", previous == " " { break }
                let beginsQuote = " [{,:".contains(previous) && (next == "\"" || next == "'")
                if beginsQuote {
                    rest = try YAMLScalar.quoted(rest, line: number).rest
                } else {
                    if next == "[" || next == "{" { depth += 1 }
                    if next == "]" || next == "}" { depth -= 1 }
                    rest.removeFirst()
                }
                previous = next
            }
        }
        return depth <= 0
    }

    /// The collection, when it is closed and nothing but a comment follows it.
    mutating func node(depth: Int) throws(YAMLFault) -> YAMLNode {
        row = 0
        column = lines[0].text.startIndex
        let node = try value(depth: depth)
        if peek() != nil { throw fault("has something after the closing bracket") }
        return node
    }

    private func fault(_ rule: String) -> YAMLFault {
        YAMLFault(line: lines[min(row, lines.count - 1)].number, rule: rule)
    }

    /// The next character that is neither blank nor in a comment, on this line or a later one; moves up to it.
    private mutating func peek() -> Character? {
        while row < lines.count {
            let text = lines[row].text
            while column < text.endIndex, text[column] == " " || text[column] == "\t" {
                column = text.index(after: column)
            }
            let isAfterBlank = column == text.startIndex || (column < text.endIndex && isBlank(before: column, text))
            if column < text.endIndex, !(text[column] == "#" && isAfterBlank) { return text[column] }
            row += 1
            if row < lines.count { column = lines[row].text.startIndex }
        }
        return nil
    }

    private func isBlank(before index: Substring.Index, _ text: Substring) -> Bool {
        let previous = text[text.index(before: index)]
        return previous == " " || previous == "\t"
    }

    private mutating func take() { column = lines[row].text.index(after: column) }

    private mutating func value(depth: Int) throws(YAMLFault) -> YAMLNode {
        guard depth < YAMLReader.maxDepth else { throw fault("is nested too deeply") }
        guard let next = peek() else { throw fault("opens a bracket that is not closed") }
        let line = lines[row].number
        switch next {
        case "[": return YAMLNode(content: .sequence(try sequence(depth: depth)), line: line)
        case "{": return YAMLNode(content: .mapping(try mapping(depth: depth)), line: line)
        default:
            let (text, isQuoted) = try scalar()
            return YAMLNode(content: .scalar(text, isQuoted: isQuoted), line: line)
        }
    }

    private mutating func sequence(depth: Int) throws(YAMLFault) -> [YAMLNode] {
        take()
        var items: [YAMLNode] = []
        while peek() != "]" {
            items.append(try value(depth: depth + 1))
            try separator(before: "]")
        }
        take()
        return items
    }

    private mutating func mapping(depth: Int) throws(YAMLFault) -> [YAMLEntry] {
        take()
        var entries: [YAMLEntry] = []
        while let next = peek(), next != "}" {
            if next == "[" || next == "{" { throw fault("has a collection as a key, which is not read here") }
            let line = lines[row].number
            let (key, _) = try scalar()
            guard !entries.contains(where: { $0.key == key }) else {
                throw fault("gives the key \"\(SettingFault.printable(key))\" again")
            }
            guard peek() == ":", lines[row].number == line else {
                throw fault("has a key without a colon on its line")
            }
            take()
            let isAbsent = peek() == "," || peek() == "}"
            let value =
                isAbsent
                ? YAMLNode(content: .scalar("", isQuoted: false), line: line) : try value(depth: depth + 1)
            entries.append(YAMLEntry(key: key, line: line, value: value))
            try separator(before: "}")
        }
        guard peek() != nil else { throw fault("opens a bracket that is not closed") }
        take()
        return entries
    }

    private mutating func separator(before end: Character) throws(YAMLFault) {
        switch peek() {
        case ",": take()
        case end: break
        default: throw fault("lacks a comma or a closing bracket")
        }
    }

    private mutating func scalar() throws(YAMLFault) -> (text: String, isQuoted: Bool) {
        let rest = lines[row].text[column...]
        if rest.first == "\"" || rest.first == "'" {
            let (text, after) = try YAMLScalar.quoted(rest, line: lines[row].number)
            column = after.startIndex
            return (text, true)
        }
        var end = rest.startIndex
        var previous: Character = " "
        while end < rest.endIndex, !",[]{}".contains(rest[end]), !(rest[end] == "#" && previous == " ") {
            let after = rest.index(after: end)
            if rest[end] == ":", after == rest.endIndex || rest[after] == " " { break }
            if rest[end] == ":", ",[]{}?".contains(rest[after]) { throw fault("has a colon without a space after it") }
            previous = rest[end]
            end = after
        }
        let text = rest[..<end].trimmed
        guard !text.isEmpty else { throw fault("lacks a value") }
        // Readers differ on these here: some take them for a key's or a value's sign even without a space.
        guard text.first != "?", text.first != ":" else { throw fault("begins a value in brackets with ? or :") }
        try YAMLScalar.refuseIndicator(text, line: lines[row].number)
        column = end
        return (String(text), false)
    }
}
