/// What a project says of the response cache.
public struct CachePolicy: Hashable, Sendable {
    public var scope: CacheScope
    public var hits: CacheHits

    public init(scope: CacheScope = .project, hits: CacheHits = .count) {
        self.scope = scope
        self.hits = hits
    }
}

/// Whose stored answers a project's requests may be given, and who may be given its own. Stored by name.
public enum CacheScope: String, Hashable, Sendable, CaseIterable {
    /// Its own alone.
    case project
    /// Those of all projects that say so and send the same to the same place.
    case shared
}

/// What requests that are answered from the cache take of their token's cap. Stored by name.
public enum CacheHits: String, Hashable, Sendable, CaseIterable {
    /// As much as any other.
    case count
    /// Nothing: each gives back what it took. A token whose cap is used up is refused, whatever the cache holds.
    case free
}

/// Which stored answers to forget: those to which all that it says applies. One that says nothing means all.
public struct CachePurge: Hashable, Sendable {
    /// The project whose requests they answered.
    public var project: ProjectID?
    /// In upper case.
    public var method: String?
    /// Path and query as the client sent them.
    public var url: String?
    /// Whether ``url`` is only how they begin.
    public var isPrefix: Bool

    public init(project: ProjectID? = nil, method: String? = nil, url: String? = nil, isPrefix: Bool = false) {
        self.project = project
        self.method = method
        self.url = url
        self.isPrefix = isPrefix
    }

    /// Whether an answer is one of them.
    public func includes(project: ProjectID, method: String, url: String) -> Bool {
        if let wanted = self.project, wanted != project { return false }
        if let wanted = self.method, wanted != method { return false }
        guard let wanted = self.url else { return true }
        return isPrefix ? url.utf8.starts(with: wanted.utf8) : url == wanted
    }
}
