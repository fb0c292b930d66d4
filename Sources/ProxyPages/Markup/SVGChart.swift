/// A chart as inline SVG: lines or bars over time, without text inside, so that it may be stretched to any width.
///
/// Names and scales stand beside it in HTML, the figures in a table behind it.
struct SVGChart: Sendable {
    /// One line, or one colour of bars.
    struct Series: Sendable {
        let name: String
        /// A value for each place; nothing where there is none.
        let values: [Double?]
    }

    enum Shape: Sendable {
        case lines
        /// Bars of the series on top of each other.
        case bars
    }

    static let width = 600.0
    static let height = 140.0

    let title: String
    /// What a person who can't see it is told.
    let summary: String
    let shape: Shape
    let series: [Series]
    /// Names the lines for whoever redraws them; empty for none.
    var name = ""

    /// The highest value, at least something.
    var top: Double {
        let places = series.map(\.values.count).max() ?? 0
        var top = 0.0
        switch shape {
        case .lines:
            for line in series { for value in line.values { top = max(top, value ?? 0) } }
        case .bars:
            for place in 0..<places {
                var sum = 0.0
                for bar in series where place < bar.values.count { sum += bar.values[place] ?? 0 }
                top = max(top, sum)
            }
        }
        return top
    }

    /// The chart's markup. Texts in it are escaped, all else is made of numbers.
    var markup: String {
        let heading = Markup.escaped(title)
        let description = Markup.escaped(summary)
        var text = "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\""
        text += " preserveAspectRatio=\"none\"><title>\(heading)</title><desc>\(description)</desc>"
        for step in 0...4 {
            let y = Self.text(Self.height * Double(step) / 4)
            text += "<line class=\"grid\" x1=\"0\" x2=\"\(Int(Self.width))\" y1=\"\(y)\" y2=\"\(y)\"/>"
        }
        switch shape {
        case .lines: text += lines
        case .bars: text += bars
        }
        return text + "</svg>"
    }

    private var lines: String {
        var text = ""
        for (place, line) in series.enumerated() {
            let label = name.isEmpty ? "" : " data-line=\"\(name).\(place)\""
            text += "<polyline class=\"line s\(place)\"\(label) points=\"\(points(of: line))\"/>"
        }
        return text
    }

    /// The places of a line's values.
    func points(of line: Series) -> String {
        let highest = max(top, Double.leastNormalMagnitude)
        let last = Double(max(1, line.values.count - 1))
        var points: [String] = []
        for (place, value) in line.values.enumerated() {
            guard let value else { continue }
            let x = Self.width * Double(place) / last
            let y = Self.height - (Self.height - 4) * min(1, value / highest) - 2
            points.append("\(Self.text(x)),\(Self.text(y))")
        }
        return points.joined(separator: " ")
    }

    private var bars: String {
        let places = series.map(\.values.count).max() ?? 0
        guard places > 0, top > 0 else { return "" }
        let pitch = Self.width / Double(places)
        var text = ""
        for place in 0..<places {
            var floor = Self.height
            for (number, bar) in series.enumerated() where place < bar.values.count {
                let height = (Self.height - 4) * (bar.values[place] ?? 0) / top
                guard height > 0 else { continue }
                floor -= height
                let x = Self.text(pitch * Double(place) + pitch * 0.1)
                text += "<rect class=\"bar s\(number)\" x=\"\(x)\" y=\"\(Self.text(floor))\""
                text += " width=\"\(Self.text(pitch * 0.8))\" height=\"\(Self.text(height))\"/>"
            }
        }
        return text
    }

    /// A coordinate with one decimal.
    private static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
    }

    /// What the series are called, with the number of their colour.
    var legend: [View] {
        series.enumerated().map { place, line in ["seriesName": line.name, "seriesNumber": "\(place)"] as View }
    }

    /// A bar beside a figure, as long as its share; it says nothing that the figure doesn't.
    static func bar(_ part: Double, of whole: Double) -> String {
        "<svg class=\"share\" aria-hidden=\"true\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\">"
            + "<rect class=\"rail\" width=\"100\" height=\"8\"/>"
            + "<rect class=\"bar s0\" width=\"\(Shown.share(part, of: whole))\" height=\"8\"/></svg>"
    }
}
