/// Sizes as people write them: `10MiB`, `512KiB`, `10MB`, `10485760`.
enum SizeText {
    private static let units: [String: Int] = [
        "": 1, "b": 1, "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
    ]

    /// The size in bytes. Units are read without regard to case. Gives `nil` for a sign, a fraction, a foreign unit,
    /// and for what does not fit an `Int`.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let count = Int(digits), let unit = units[text.dropFirst(digits.count).lowercased()] else { return nil }
        let product = count.multipliedReportingOverflow(by: unit)
        return product.overflow ? nil : product.partialValue
    }
}
