/// An amount of money in nano-dollars (10⁻⁹ US dollar): whole numbers, so that sums are exact.
public struct NanoDollars: Hashable, Comparable, Sendable {
    public let amount: Int64
    public init(_ amount: Int64) { self.amount = amount }
    public static let zero = NanoDollars(0)
    public static func < (left: Self, right: Self) -> Bool { left.amount < right.amount }
    /// Held within what is representable.
    public static func + (left: Self, right: Self) -> Self {
        let (sum, overflows) = left.amount.addingReportingOverflow(right.amount)
        return NanoDollars(overflows ? (right.amount > 0 ? .max : .min) : sum)
    }
    /// The amount in dollars, exactly: as many digits after the point as it takes, and no fewer than `leastDigits`.
    public func decimal(leastDigits: Int = 0) -> String {
        let (whole, fraction) = (amount.magnitude / 1_000_000_000, amount.magnitude % 1_000_000_000)
        var digits = String(fraction)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.count > leastDigits, digits.last == "0" { digits.removeLast() }
        return "\(amount < 0 ? "-" : "")\(whole)\(digits.isEmpty ? "" : ".")\(digits)"
    }

    /// Reads dollars as JSON and YAML write numbers: digits, a point, at most nine digits. `nil` for anything else, and for
    /// what is too large.
    public init?(dollars text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let whole = Int64(parts[0]), whole <= 9_000_000_000
        else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard fraction.utf8.count <= 9,
            let part = Int64(fraction + String(repeating: "0", count: 9 - fraction.utf8.count))
        else { return nil }
        self.init(whole * 1_000_000_000 + part)
    }

    /// The amount in dollars, for display only: binary fractions do not hold every amount.
    public var dollars: Double { Double(amount) / 1e9 }
}
