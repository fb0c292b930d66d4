/// What a provider says a request has used, in tokens. Neither is negative.
public struct ReportedUsage: Sendable, Hashable {
    /// `prompt_tokens`, or `input_tokens`.
    public var promptTokens: Int64
    /// `completion_tokens`, or `output_tokens`; 0 where a provider counts no output, as for embeddings.
    public var completionTokens: Int64
    /// Of the prompt's, those that the provider had in a cache.
    public var cachedPromptTokens: Int64

    public init(promptTokens: Int64, completionTokens: Int64, cachedPromptTokens: Int64 = 0) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedPromptTokens = cachedPromptTokens
    }
}
