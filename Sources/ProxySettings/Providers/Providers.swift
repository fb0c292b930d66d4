/// The providers that projects may name, and the one they get when they name none.
public struct Providers: Hashable, Sendable {
    /// First segments of paths that are the server's own: a provider of such a name could not be reached by its path.
    static let ownPaths: Set = ["v1", "manage", "admin", "metrics", "health", "live", "ready"]

    /// The name of one of ``all``.
    public let defaultName: String
    /// By name. Never empty.
    public let all: [String: Provider]

    /// Gives `nil` when `defaultName` is not the name of one of `providers`.
    public init?(defaultName: String, _ providers: [Provider]) {
        let all = Dictionary(providers.map { ($0.name, $0) }) { first, _ in first }
        guard all[defaultName] != nil else { return nil }
        self.defaultName = defaultName
        self.all = all
    }

    /// One provider alone.
    init(only provider: Provider) {
        defaultName = provider.name
        all = [provider.name: provider]
    }

    /// The provider of that name; `nil` when there is none.
    public subscript(name: String) -> Provider? { all[name] }
}
