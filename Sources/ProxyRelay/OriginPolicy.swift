/// Which web pages may call an API, by their origins as browsers send them (RFC 6454 section 6.2).
public struct OriginPolicy: Hashable, Sendable {
    private let origins: Set<String>
    /// Methods for `Access-Control-Allow-Methods`.
    let methods: [String]
    /// A value for `Access-Control-Allow-Headers`; `nil` for the fields that the browser asks for.
    let headers: String?
    /// In seconds, for `Access-Control-Max-Age`.
    let maxAge: Int

    /// - Parameters:
    ///   - origins: in lower case and without a scheme's own port; `*` stands for all.
    ///   - methods: in upper case.
    ///   - headers: the only fields that a browser is told of; none for those that it asks for.
    ///   - maxAge: how long a browser may remember what it was told, in seconds.
    public init(
        _ origins: some Sequence<String>, methods: some Sequence<String>, headers: [String], maxAge: Int
    ) {
        self.headers = headers.isEmpty ? nil : headers.joined(separator: ", ")
        self.maxAge = maxAge
        self.origins = Set(origins)
        self.methods = methods.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    func allows(_ origin: UnsafeRawBufferPointer) -> Bool {
        !origin.isEmpty
            && (origins.contains("*") || origins.contains(String(decoding: origin, as: UTF8.self).lowercased()))
    }
}
