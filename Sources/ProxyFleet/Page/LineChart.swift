import Glibc

/// Lines over a common axis, as inline SVG that is legible in light and dark, with its numbers in a table behind it.
struct LineChart {
    /// One line.
    struct Line {
        let name: String
        let points: [(x: Double, y: Double)]
    }

    /// Where the horizontal axis is written on.
    struct Tick {
        let place: Double
        let text: String
    }

    let title: String
    /// What the vertical axis shows, with its unit.
    let measure: String
    /// What the horizontal axis shows, with its unit.
    let over: String
    let lines: [Line]
    /// Written on the horizontal axis; `nil` for round numbers.
    var ticks: [Tick]?

    private static let (width, height) = (720.0, 260.0)
    private static let (left, right, top, bottom) = (64.0, 16.0, 12.0, 40.0)

    private var xRange: ClosedRange<Double> {
        let values = lines.flatMap { $0.points.map(\.x) } + (ticks ?? []).map(\.place)
        let (low, high) = (values.min() ?? 0, values.max() ?? 1)
        return low...max(high, low + 1e-9)
    }

    private var yTop: Double { Self.roundUp(lines.flatMap { $0.points.map(\.y) }.max() ?? 1) }

    private func x(_ value: Double) -> Double {
        let range = xRange
        let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return Self.left + share * (Self.width - Self.left - Self.right)
    }

    private func y(_ value: Double) -> Double {
        Self.height - Self.bottom - value / yTop * (Self.height - Self.top - Self.bottom)
    }

    /// The next round number that is not below.
    private static func roundUp(_ value: Double) -> Double {
        guard value > 0 else { return 1 }
        let power = pow(10, floor(log10(value)))
        return [1.0, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map { $0 * power }.first { $0 >= value * 0.999 } ?? value
    }

    /// A figure with its legend and table.
    var html: String {
        guard lines.contains(where: { !$0.points.isEmpty }) else { return "" }
        let legend = lines.enumerated()
            .map { "<li><span class=\"key c\($0.offset % 6)\"></span>\($0.element.name.escaped)</li>" }.joined()
        return """
            <figure><figcaption>\(title.escaped)</figcaption><ul class="legend">\(legend)</ul>
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="\(title.escaped)">
            \(grid)\(lines.enumerated().map { path($0.element, color: $0.offset % 6) }.joined(separator: "\n"))
            <text x="\(Self.left)" y="\(Self.height - 6)" class="axis">\(over.escaped)</text>
            </svg>\(table)</figure>

            """
    }

    private var grid: String {
        let rows = (0...4).map { step -> String in
            let value = yTop * Double(step) / 4
            return "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(y(value).px)\" "
                + "y2=\"\(y(value).px)\"/><text x=\"\(Self.left - 6)\" y=\"\((y(value) + 4).px)\" class=\"axis end\">"
                + "\(value.brief)\(step == 4 ? " \(measure.escaped)" : "")</text>"
        }
        let columns = (ticks ?? roundTicks).map {
            "<text x=\"\(x($0.place).px)\" y=\"\(Self.height - Self.bottom + 16)\" class=\"axis middle\">\($0.text.escaped)</text>"
        }
        return (rows + columns).joined(separator: "\n")
    }

    private var roundTicks: [Tick] {
        let range = xRange
        let step = Self.roundUp((range.upperBound - range.lowerBound) / 8)
        return stride(from: (range.lowerBound / step).rounded(.up) * step, through: range.upperBound, by: step)
            .map { Tick(place: $0, text: $0.brief) }
    }

    private func path(_ line: Line, color: Int) -> String {
        let points = line.points.map { "\(x($0.x).px),\(y($0.y).px)" }.joined(separator: " ")
        return "<polyline class=\"line c\(color)\" points=\"\(points)\"><title>\(line.name.escaped)</title></polyline>"
    }

    /// The same numbers for those who don't see the picture.
    private var table: String {
        let places = Set(lines.flatMap { $0.points.map(\.x) }).sorted()
        let head = lines.map { "<th scope=\"col\">\($0.name.escaped)</th>" }.joined()
        let rows = places.map { place -> String in
            let name = ticks?.first { $0.place == place }?.text ?? place.brief
            let cells = lines.map { line in
                "<td>\(line.points.first { $0.x == place }.map { $0.y.shown } ?? "")</td>"
            }
            return "<tr><th scope=\"row\">\(name.escaped)</th>\(cells.joined())</tr>"
        }
        let table =
            "<table><tr><th scope=\"col\">\(over.escaped)</th>\(head)</tr>"
            + rows.joined() + "</table>"
        return "<details><summary>Numbers</summary>\(table.scrolling("\(title), in numbers"))</details>"
    }
}

extension Double {
    /// A place in a picture.
    fileprivate var px: String { "\((self * 10).rounded() / 10)" }

    /// Few digits, for axes.
    var brief: String {
        magnitude >= 1000 && magnitude < 1e12 ? "\(Int64(rounded()))" : "\((self * 1000).rounded() / 1000)".trimmed
    }
}

extension String {
    fileprivate var trimmed: String { hasSuffix(".0") ? String(dropLast(2)) : self }

    /// A table that may be wider than the page: it scrolls by itself, by keyboard too.
    func scrolling(_ label: String) -> String {
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(label.escaped)\">\(self)</div>"
    }

    /// As text of a page.
    var escaped: String {
        reduce(into: "") { text, character in
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            default: text.append(character)
            }
        }
    }
}
