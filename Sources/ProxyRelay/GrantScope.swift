public import ProxyDomain
import ProxyWire

/// What the lists of a token and of its project leave of what the provider allows. All of them must hold.
public struct GrantScope: Sendable {
    private let scopes: [AccessScope]
    /// One for each list of models.
    private let models: [[TextPattern]]
    /// The same for where a request says its model as a parameter.
    private let parameters: [ParameterRules]

    /// `nil` when none of them limits anything.
    public init?(_ scopes: [AccessScope]) {
        self.scopes = scopes.filter { !$0.isUnlimited }
        guard !self.scopes.isEmpty else { return nil }
        let lists = self.scopes.map(\.models).filter { !$0.isEmpty }
        models = lists.map { $0.map { TextPattern($0) } }
        parameters = lists.map { ParameterRules([Self.model: $0]) }
    }

    static let model = "model"

    /// Whether bodies are looked at.
    var limitsModels: Bool { !models.isEmpty }

    /// What is wrong with a request's head: its path, or the model that its path or its query names.
    func refusal(of head: RequestHead, _ bytes: UnsafeRawBufferPointer, path: String) -> RelayRefusal? {
        guard scopes.allSatisfy({ $0.allows(path: path) }) else { return .pathOutOfScope }
        guard limitsModels else { return nil }
        if let named = Self.model(in: path, method: head.method) {
            guard models.allSatisfy({ $0.contains { $0.matches(named) } }) else { return .modelNotAllowed }
        }
        return head.queryRange.flatMap { query in
            refusal { $0.violation(inQuery: UnsafeRawBufferPointer(rebasing: bytes[query])) }
        }
    }

    /// What is wrong with a request's body.
    func refusal(_ violation: (ParameterRules) -> ParameterRules.Violation?) -> RelayRefusal? {
        for rules in parameters {
            switch violation(rules) {
            case nil: continue
            case .value: return .modelNotAllowed
            case .ambiguous(let name): return .paramNotAllowed(.ambiguous(name))
            case .unreadable: return .paramNotAllowed(.unreadable)
            }
        }
        return nil
    }

    /// The model that a path names: behind `models`, `deployments` or `engines`, as OpenAI, Azure and Google write it. What
    /// follows a colon when something is posted there is what to do with it. An escape is left as it is, and matches no name.
    private static func model(in path: String, method: RequestMethod) -> String? {
        let segments = path.split(separator: "/")
        let place = segments.firstIndex { ["models", "deployments", "engines"].contains($0.lowercased()) }
        guard let place, place + 1 < segments.count else { return nil }
        let segment = segments[place + 1]
        guard method == .post, let colon = segment.lastIndex(of: ":") else { return String(segment) }
        return String(segment[..<colon])
    }
}
