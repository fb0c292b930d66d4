import ProxyManagement

/// Things of one kind as text: a line each, in columns that fit a terminal.
struct Table: Sendable {
    /// What becomes of a column where there is no room for all of it.
    enum Kind {
        /// Shortened at its beginning, and on terminals alone: elsewhere a program may need it whole.
        case identifier
        /// Shortened at its end.
        case text
        /// Never shortened.
        case word
        /// Never shortened, and set to the right.
        case figure
    }

    struct Column: Sendable {
        let title: String
        let kind: Kind
        let cell: @Sendable (JSONValue) -> String

        init(_ title: String, _ kind: Kind, cell: @escaping @Sendable (JSONValue) -> String) {
            self.title = title
            self.kind = kind
            self.cell = cell
        }

        init(_ title: String, _ kind: Kind, of member: String) {
            self.init(title, kind) { $0[member].cell }
        }
    }

    /// To which columns are shortened at most.
    private static let leastWidth = 8
    private static let gap = "  "

    let columns: [Column]
    /// Whether a thing is of the past: shown dimmed.
    let isPast: @Sendable (JSONValue) -> Bool

    /// The head, and a line for each of `things`.
    func lines(_ things: [JSONValue], on terminal: Terminal) -> [String] {
        let titles = columns.map(\.title)
        let rows = things.map { thing in columns.map { $0.cell(thing).printable } }
        let fitting = widths(of: [titles] + rows, on: terminal)
        var lines = [line(titles, fitting)]
        for (thing, row) in zip(things, rows) {
            let text = line(row, fitting)
            lines.append(terminal.showsColor && isPast(thing) ? "\u{1B}[2m\(text)\u{1B}[0m" : text)
        }
        return lines
    }

    private func widths(of rows: [[String]], on terminal: Terminal) -> [Int] {
        var widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let room = terminal.width - Self.gap.count * (columns.count - 1)
        while widths.reduce(0, +) > room, let column = columnToShorten(widths, on: terminal) { widths[column] -= 1 }
        return widths
    }

    /// The widest text; and once all texts are short, on a terminal, the last identifier.
    private func columnToShorten(_ widths: [Int], on terminal: Terminal) -> Int? {
        let long = columns.indices.filter { widths[$0] > Self.leastWidth }
        let widest = long.filter { columns[$0].kind == .text }.max(by: { widths[$0] < widths[$1] })
        if widest != nil || !terminal.isTerminal { return widest }
        return long.last(where: { columns[$0].kind == .identifier })
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = columns.indices.map { Self.fitted(cells[$0], to: widths[$0], columns[$0].kind) }
            .joined(separator: Self.gap)
        while text.last == " " { text.removeLast() }
        return text
    }

    private static func fitted(_ cell: String, to width: Int, _ kind: Kind) -> String {
        let missing = width - cell.count
        guard missing < 0 else {
            let blanks = String(repeating: " ", count: missing)
            return kind == .figure ? blanks + cell : cell + blanks
        }
        return kind == .identifier ? "…\(cell.suffix(width - 1))" : "\(cell.prefix(width - 1))…"
    }
}
