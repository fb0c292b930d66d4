/// What a request may use, set aside before it is sent and settled against what it did use.
public struct Reservation: Hashable, Sendable {
    public let promptTokens: Int64
    public let completionTokens: Int64
    public let cost: NanoDollars

    public init(promptTokens: Int64, completionTokens: Int64, cost: NanoDollars) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cost = cost
    }

    /// For requests of tokens that nothing is set aside for.
    public static let none = Reservation(promptTokens: 0, completionTokens: 0, cost: .zero)

    /// Prompt and completion together, as limits per minute count them.
    public var tokens: Int64 { promptTokens + completionTokens }
}
