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

    func allowsPath(of head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let path = String(decoding: bytes[head.pathRange], as: UTF8.self)
        return scopes.allSatisfy { $0.allows(path: path) }
    }

    /// What is wrong with the model that a request's path or its query names.
    func refusalOfModel(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> RelayRefusal? {
        guard limitsModels else { return nil }
        let path = String(decoding: bytes[head.pathRange], as: UTF8.self)
        if let named = PathModel.named(in: path, isPosted: head.method == .post) {
            guard models.allSatisfy({ $0.contains { $0.matches(named) } }) else { return .modelNotAllowed }
        }
        return head.queryRange.flatMap { query in
            refusal { $0.violation(inQuery: UnsafeRawBufferPointer(rebasing: bytes[query])) }
        }
    }

    /// Whether what was judged by this scope need not be judged by the other.
    func isSame(as other: GrantScope?) -> Bool { scopes == other?.scopes }

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
}

/// The model that a path names, as OpenAI, Azure and Google write it.
enum PathModel {
    private static let keywords = ["models", "tunedmodels", "deployments", "engines"]
    /// Behind these, what follows a colon when something is posted there is what to do with it.
    private static let withVerbs = ["models", "tunedmodels"]

    /// `nil` when it names none. Read as a server reads it that undoes escapes and takes parameters off segments.
    static func named(in path: String, isPosted: Bool) -> String? {
        let segments = path.split(separator: "/").map(plain)
        let place = segments.firstIndex { keywords.contains($0.lowercased()) }
        guard let place, place + 1 < segments.count else { return nil }
        let segment = segments[place + 1]
        guard isPosted, withVerbs.contains(segments[place].lowercased()), let colon = segment.lastIndex(of: ":") else {
            return segment
        }
        return String(segment[..<colon])
    }

    /// A segment without escapes, and without what follows a semicolon.
    private static func plain(_ segment: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(segment.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first?.nibble, let low = rest.dropFirst().first?.nibble {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
    }
}
