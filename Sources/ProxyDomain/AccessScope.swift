/// Which of a provider's models and paths may be used. A project's scope holds for each of its tokens, beside their own.
public struct AccessScope: Hashable, Sendable {
    /// Names of models, with `*` for any text in them; empty for all models.
    public var models: [String]
    /// Beginnings of paths, by whole segments, plain (see ``RequestPath/isPlain(_:)``); empty for all paths.
    public var paths: [String]

    public init(models: [String] = [], paths: [String] = []) {
        self.models = models
        self.paths = paths
    }

    /// Whether it leaves everything as it is.
    public var isUnlimited: Bool { models.isEmpty && paths.isEmpty }

    /// Whether `path` may be called as far as ``paths`` say.
    public func allows(path: String) -> Bool {
        paths.isEmpty || paths.contains { RequestPath.covers($0.utf8, path.utf8) }
    }
}
