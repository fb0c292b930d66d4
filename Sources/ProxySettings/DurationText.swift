/// Durations as people write them: `90s`, `30m`, `1h30m`, `250ms`, `7d`, and `0`.
enum DurationText {
    /// From the largest unit to the smallest: a text names them in this order, each at most once.
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Gives `nil` for a number without a unit (other than `0`), a sign, a fraction, a foreign unit, units out of
    /// order, and for what does not fit 64 bits of milliseconds.
    static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = Substring(text)
        var unused = units[...]
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            let suffix = rest.dropFirst(digits.count).prefix { ("a"..."z").contains($0) }
            guard let count = Int64(digits), let index = unused.firstIndex(where: { $0.suffix == suffix }) else {
                return nil
            }
            let product = count.multipliedReportingOverflow(by: units[index].milliseconds)
            let sum = total.addingReportingOverflow(product.partialValue)
            guard !product.overflow, !sum.overflow else { return nil }
            total = sum.partialValue
            unused = unused[(index + 1)...]
            rest = rest.dropFirst(digits.count + suffix.count)
        }
        return .milliseconds(total)
    }
}
