/// An amount of money in nano-dollars (10⁻⁹ US dollar): whole numbers, so that sums are exact.
public struct NanoDollars: Hashable, Comparable, Sendable {
    public let amount: Int64
    public init(_ amount: Int64) { self.amount = amount }
    public static let zero = NanoDollars(0)
    public static func < (left: Self, right: Self) -> Bool { left.amount < right.amount }
    /// The amount in dollars, for display only: binary fractions do not hold every amount.
    public var dollars: Double { Double(amount) / 1e9 }
}
