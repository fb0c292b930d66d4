/// Reports as HTML: the small part of Markdown that they are written in. All text is escaped; there are no links.
enum Markdown {
    /// What the lines read so far are part of.
    private enum Block {
        case none
        case paragraph
        case list
        case table
        case code
    }

    static func markup(of text: String) -> String {
        var markup = ""
        var block = Block.none
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            add(line.last == "\r" ? line.dropLast() : line, to: &markup, &block)
        }
        close(&block, &markup)
        return markup
    }

    private static func add(_ line: Substring, to markup: inout String, _ block: inout Block) {
        if line.hasPrefix("```") {
            let isEnd = block == .code
            close(&block, &markup)
            if !isEnd { open(.code, "<pre>", &block, &markup) }
        } else if block == .code {
            markup += Markup.escaped(String(line)) + "\n"
        } else if line.allSatisfy(\.isWhitespace) {
            close(&block, &markup)
        } else if line.hasPrefix("#") {
            close(&block, &markup)
            // The page has its own first headings.
            let level = min(6, line.prefix { $0 == "#" }.count + 2)
            markup += "<h\(level)>\(inline(line.drop { $0 == "#" || $0 == " " }))</h\(level)>"
        } else if line.hasPrefix("|") {
            addRow(line, to: &markup, &block)
        } else if line.hasPrefix("- ") || line.hasPrefix("* ") {
            if block != .list { close(&block, &markup) }
            open(.list, "<ul>", &block, &markup)
            markup += "<li>\(inline(line.dropFirst(2)))</li>"
        } else {
            if block != .paragraph { close(&block, &markup) }
            open(.paragraph, "<p>", &block, &markup)
            markup += inline(line) + "\n"
        }
    }

    private static func addRow(_ line: Substring, to markup: inout String, _ block: inout Block) {
        // The line under a table's head says only how columns stand.
        guard !line.allSatisfy({ "|-: ".contains($0) }) else { return }
        let isHead = block != .table
        if isHead { close(&block, &markup) }
        let region = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table of the report\"><table>"
        open(.table, region, &block, &markup)
        var cells = line.dropFirst().split(separator: "|", omittingEmptySubsequences: false)
        if cells.last?.allSatisfy(\.isWhitespace) ?? false { cells.removeLast() }
        let (opening, closing) = isHead ? ("<th scope=\"col\">", "</th>") : ("<td>", "</td>")
        markup += "<tr>"
        for cell in cells { markup += opening + inline(cell) + closing }
        markup += "</tr>"
    }

    private static func open(_ wanted: Block, _ tag: String, _ block: inout Block, _ markup: inout String) {
        guard block != wanted else { return }
        markup += tag
        block = wanted
    }

    private static func close(_ block: inout Block, _ markup: inout String) {
        switch block {
        case .none: break
        case .paragraph: markup += "</p>"
        case .list: markup += "</ul>"
        case .table: markup += "</table></div>"
        case .code: markup += "</pre>"
        }
        block = .none
    }

    /// A line with its `code` and its **strong** words.
    private static func inline(_ line: Substring) -> String {
        var text = ""
        for (place, part) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            let escaped = Markup.escaped(String(part))
            text += place % 2 == 1 ? "<code>\(escaped)</code>" : strong(escaped)
        }
        return text
    }

    private static func strong(_ escaped: String) -> String {
        var text = ""
        var isStrong = false
        var rest = Substring(escaped)
        while let sign = rest.first {
            if rest.hasPrefix("**") {
                text += isStrong ? "</strong>" : "<strong>"
                isStrong.toggle()
                rest = rest.dropFirst(2)
            } else {
                text.append(sign)
                rest = rest.dropFirst()
            }
        }
        return isStrong ? text + "</strong>" : text
    }
}
