import Crypto
import ProxyDomain

/// What names the state of something that people administer (RFC 9110, section 8.8.3): it changes with whatever they change, and not
/// with what requests count.
struct EntityTag: Hashable, Sendable {
    /// As it stands in a field, in quotes.
    let text: String

    init(_ project: Project) {
        self.init(project.administered.json(at: Self.anyTime).text + project.sealedKey)
    }

    init(_ token: Token) { self.init(token.administered.json(at: Self.anyTime).text) }

    init(_ upstream: Upstream) { self.init(upstream.json.text + upstream.sealedKey) }

    private init(_ state: String) {
        text = "\"\(Hexadecimal.text(SHA256.hash(data: Array(state.utf8)).prefix(12)))\""
    }

    var field: (name: String, value: String) { ("ETag", text) }

    /// The same for every look: nothing that is administered depends on when it is looked at.
    private static let anyTime = Timestamp(milliseconds: 0)
}

extension Call {
    /// Whether the client says which state it means.
    var isConditional: Bool { !request.values(of: "if-match").isEmpty }

    /// Whether a change of what has `tag` now is asked for by somebody who knows it as it is (`If-Match`, RFC 9110, section 13.1.1).
    ///
    /// - Returns: whether it must be made sure of that in the change; `false` when nothing was said.
    /// - Throws: when another state is meant.
    func expects(_ tag: EntityTag) throws(ManagementFailure) -> Bool {
        let values = request.values(of: "if-match")
        guard !values.isEmpty else { return false }
        let tags = values.joined(separator: ",").split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
        guard !tags.isEmpty, tags.allSatisfy({ $0 == "*" || $0.hasSuffix("\"") && $0.count > 1 }) else {
            throw .input(.invalid(name: "If-Match", rule: "must be * or entity tags in quotes, as ETag gives them"))
        }
        guard tags.contains("*") || tags.contains(tag.text) else { throw .storage(.changedMeanwhile) }
        return !tags.contains("*")
    }
}
