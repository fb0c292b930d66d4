/// Web pages that call from a browser (Fetch Standard, "HTTP CORS protocol").
public struct PageSettings: Hashable, Sendable {
    /// Those that may call providers which name none: origins as ``PageOrigin`` writes them. Empty where all of it is for providers to say.
    public var allowedOrigins: [String] = []
    /// Of the methods that such a provider allows, those that a browser is told of; empty for all of them.
    public var allowedMethods: [String] = []
    /// Fields that a browser is told of, whatever provider it goes to; empty for those that it asks for.
    public var allowedHeaders: [String] = []
    /// How long a browser may remember what it was told.
    public var maxAge = Duration.zero
}
