/// The origin of a web page, as browsers send it (RFC 6454 section 6.2).
enum PageOrigin {
    /// The same in lower case and without a scheme's own port; `*` for all; `nil` for what is no origin.
    static func normalised(_ text: String) -> String? {
        guard text != "*" else { return text }
        guard let url = BaseURL(text), url.pathPrefix.isEmpty, !text.hasSuffix("/") else { return nil }
        return url.origin.description.lowercased()
    }
}
