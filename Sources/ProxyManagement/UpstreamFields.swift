import ProxyDomain

/// What says where requests go and with which key, of a project and of its further ways alike.
struct UpstreamFields: Sendable {
    private let dependencies: ManagementDependencies

    init(_ dependencies: ManagementDependencies) { self.dependencies = dependencies }

    /// A provider's key goes into a header: visible ASCII only, which also catches a pasted line break.
    func key(in body: BodyFields) throws(ManagementFailure) -> String? {
        guard let key = try body.string("api_key") else { return nil }
        guard (1...4096).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .input(
                .invalid(
                    name: "api_key", rule: "must be 1 to 4096 visible ASCII characters, without blanks or line breaks"))
        }
        return key
    }

    /// The same where it must be there.
    func neededKey(in body: BodyFields) throws(ManagementFailure) -> String {
        if let key = try key(in: body) { return key }
        throw .input(.missing(name: "api_key", hint: "Send the key that the provider issued; it is stored sealed."))
    }

    /// An entry of the providers file.
    func provider(in body: BodyFields) throws(ManagementFailure) -> String? {
        guard let name = try body.string("provider") else { return nil }
        let providers = dependencies.providers().all
        if providers.contains(name) { return name }
        throw .input(.invalid(name: "provider", rule: "must be one of: \(providers.sorted().joined(separator: ", "))"))
    }

    /// Empty for the provider's own.
    func baseURL(in body: BodyFields) throws(ManagementFailure) -> String? {
        guard let text = try body.string("base_url") else { return nil }
        if text.isEmpty || dependencies.isBaseURL(text) { return text }
        throw .input(
            .invalid(
                name: "base_url",
                rule:
                    "must be an http or https address without user name, query or fragment, or empty for the provider's own"
            ))
    }

    /// The same for something new: `nil` for the provider's own.
    func newBaseURL(in body: BodyFields) throws(ManagementFailure) -> String? {
        try baseURL(in: body).flatMap { $0.isEmpty ? nil : $0 }
    }
}
