/// Web pages that call from a browser (Fetch Standard, "HTTP CORS protocol"), where a provider names none of its own.
public struct PageSettings: Hashable, Sendable {
    /// Origins as ``PageOrigin`` writes them; empty where all of it is for providers to say.
    public var allowedOrigins: [String] = []
    /// Of the methods that a provider allows, those that a browser is told of; empty for all of them.
    public var allowedMethods: [String] = []
    /// Fields that a browser is told of; empty for those that it asks for.
    public var allowedHeaders: [String] = []
    /// How long a browser may remember what it was told.
    public var maxAge = Duration.zero
}

/// The origin of a web page, as browsers send it (RFC 6454 section 6.2).
enum PageOrigin {
    /// The same in lower case and without a scheme's own port; `*` for all; `nil` for what is no origin.
    static func normalised(_ text: String) -> String? {
        guard text != "*" else { return text }
        guard let url = BaseURL(text), url.pathPrefix.isEmpty, !text.hasSuffix("/") else { return nil }
        return url.origin.description.lowercased()
    }
}
