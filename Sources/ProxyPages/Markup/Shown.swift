import ProxyDomain

/// Values as people read them.
enum Shown {
    /// Stands where there is nothing.
    static let nothing = "—"

    /// A whole number in groups of three digits.
    static func grouped(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return number < 0 ? "-\(text)" : text
    }

    /// A number with at most so many decimals, grouped, without zeros at the end.
    static func decimal(_ value: Double, _ decimals: Int, atLeast least: Int = 0) -> String {
        var scale: Int64 = 1
        for _ in 0..<decimals { scale *= 10 }
        guard value.isFinite, let scaled = Int64(exactly: (value.magnitude * Double(scale)).rounded()) else {
            return nothing
        }
        var fraction = decimals == 0 ? "" : String(String(scaled % scale + scale).dropFirst())
        while fraction.count > least, fraction.last == "0" { fraction.removeLast() }
        let whole = grouped(scaled / scale)
        return "\(value < 0 && scaled > 0 ? "-" : "")\(whole)\(fraction.isEmpty ? "" : ".\(fraction)")"
    }

    /// US dollars, to a millionth where that is needed.
    static func money(_ dollars: Double?) -> String {
        guard let dollars else { return nothing }
        return "$\(decimal(dollars, 6, atLeast: 2))"
    }

    /// A time given in milliseconds.
    static func milliseconds(_ value: Double?) -> String {
        guard let value, value.isFinite else { return nothing }
        if value < 1 { return "\(decimal(value * 1000, 0)) µs" }
        if value < 1000 { return "\(decimal(value, value < 10 ? 2 : 1)) ms" }
        return "\(decimal(value / 1000, 2)) s"
    }

    /// A time given in microseconds, of a document.
    static func microseconds(_ document: Document) -> String { milliseconds(document.number.map { $0 / 1000 }) }

    static func bytes(_ value: Double?) -> String {
        guard var value, value.isFinite else { return nothing }
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 { return "\(decimal(value, unit == "B" ? 0 : 1)) \(unit)" }
            value /= 1024
        }
        return "\(decimal(value, 1)) TiB"
    }

    /// An instant as it is read: to the second, in UTC.
    static func instant(_ text: String) -> String {
        guard let instant = Timestamp(text) else { return text }
        let whole = instant.text
        return "\(whole.prefix(10)) \(whole.dropFirst(11).prefix(8)) UTC"
    }

    /// An instant as markup. Made of digits that were read, so there is nothing to escape.
    static func timeMarkup(_ document: Document, otherwise: String = nothing) -> String {
        guard let words = document.words, let instant = Timestamp(words) else { return otherwise }
        return "<time datetime=\"\(instant.text)\">\(self.instant(instant.text))</time>"
    }

    /// An instant for a field of a form, in UTC and without seconds.
    static func field(_ document: Document) -> String {
        guard let words = document.words, let instant = Timestamp(words) else { return "" }
        return String(instant.text.prefix(16))
    }

    /// The same for what an address or a form held before.
    static func field(ofText text: String) -> String {
        guard let instant = Timestamp(text) else { return text }
        return String(instant.text.prefix(16))
    }

    /// What a form's field for an instant holds, as the API reads it; what can't be read stays for the API to judge.
    static func instant(ofField text: String) -> String {
        guard !text.isEmpty, Timestamp(text) == nil else { return text }
        for ending in ["Z", ":00Z"] where Timestamp(text + ending) != nil { return text + ending }
        return text
    }

    /// How much of a whole is used, from 0 to 100.
    static func share(_ part: Double, of whole: Double) -> Int {
        guard whole > 0, part.isFinite else { return 0 }
        return Int(min(100, max(0, part / whole * 100)).rounded())
    }

    /// A short form of an identifier: its end, which differs most.
    static func short(_ identifier: String) -> String {
        identifier.count > 12 ? "…\(identifier.suffix(8))" : identifier
    }
}
