/// What a model costs.
public struct ModelPrice: Hashable, Sendable {
    /// Nano-dollars for a million prompt tokens.
    public let input: Int64
    /// Nano-dollars for a million prompt tokens that the provider has in a cache.
    public let cachedInput: Int64
    /// Nano-dollars for a million completion tokens.
    public let output: Int64
    /// Most tokens the model completes with when a request sets no bound; `nil` when that isn't known.
    public let maxOutputTokens: Int64?

    /// - Parameter cachedInput: as `input` when it isn't given.
    public init(input: Int64, cachedInput: Int64? = nil, output: Int64, maxOutputTokens: Int64? = nil) {
        self.input = input
        self.cachedInput = cachedInput ?? input
        self.output = output
        self.maxOutputTokens = maxOutputTokens
    }

    /// What so many tokens cost, rounded up to whole nano-dollars.
    ///
    /// - Parameter cachedTokens: of the prompt's, those that the provider had in a cache.
    public func cost(promptTokens: Int64, cachedTokens: Int64 = 0, completionTokens: Int64) -> NanoDollars {
        let prompt = max(0, promptTokens)
        let cached = min(max(0, cachedTokens), prompt)
        let millionth =
            Int128(prompt - cached) * Int128(input) + Int128(cached) * Int128(cachedInput)
            + Int128(max(0, completionTokens)) * Int128(output)
        return NanoDollars(Int64(clamping: (millionth + 999_999) / 1_000_000))
    }
}

/// The prices of a provider's models.
public struct PriceList: Hashable, Sendable {
    private let exact: [String: ModelPrice]
    /// Those that end in `*`, without it: the longest first.
    private let prefixes: [Prefix]

    private struct Prefix: Hashable, Sendable {
        let text: String
        let price: ModelPrice
    }

    /// - Parameter prices: by model; a name that ends in `*` is for all models that begin like it.
    public init(_ prices: [String: ModelPrice] = [:]) {
        exact = prices.filter { !$0.key.hasSuffix("*") }
        prefixes = prices.filter { $0.key.hasSuffix("*") }
            .map { Prefix(text: String($0.key.dropLast()), price: $0.value) }
            .sorted { $0.text.utf8.count > $1.text.utf8.count }
    }

    public var isEmpty: Bool { exact.isEmpty && prefixes.isEmpty }

    /// The price of `model`: its own, or of the longest beginning that it shares; `nil` when there is none.
    public func price(of model: String) -> ModelPrice? {
        exact[model] ?? prefixes.first { model.hasPrefix($0.text) }?.price
    }
}
