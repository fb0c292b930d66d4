public import ProxyDomain
public import ProxyStorage
import SQLDatabase

/// An upstream key as it is stored.
public struct StoredKey: Hashable, Sendable {
    /// What has one.
    public enum Owner: String, CaseIterable, Sendable {
        case project
        case upstream
    }

    public let owner: Owner
    /// The owner's identifier.
    public let id: String
    /// The project that it is sealed for.
    public let project: ProjectID
    public let sealed: String
}

extension SQLStorage {
    /// The stored keys of one kind of owner, in the order of their identifiers.
    public func storedKeys(
        of owner: StoredKey.Owner, after last: String?, limit: Int
    ) async throws(StorageError) -> [StoredKey] {
        let statement = owner == .project ? KeyStatements.ofProjects : KeyStatements.ofUpstreams
        return try await reading(.listKeys) { connection in
            try connection.all(statement, [.text(last ?? ""), .integer(Int64(limit.clampedToPage))]) {
                (row) throws(SQLError) in
                StoredKey(owner: owner, id: row.text(at: 0), project: try row.id(at: 1), sealed: row.text(at: 2))
            }
        }
    }

    /// Puts keys in the place of others, unless those have changed meanwhile; tells servers.
    /// - Returns: how many were replaced.
    public func replace(_ keys: [(key: StoredKey, by: SealedKey)]) async throws(StorageError) -> Int {
        try await writing(.replaceKeys, changesGrants: true) { connection in
            var replaced = 0
            for (key, new) in keys {
                replaced += try connection.run(
                    key.owner == .project ? KeyStatements.replaceOfProject : KeyStatements.replaceOfUpstream,
                    [.text(key.id), .text(key.sealed), .text(new.ciphertext), .text(new.hint)])
            }
            return replaced
        }
    }
}

private enum KeyStatements {
    static let ofProjects = SQLStatement(
        "SELECT id, id, sealed_key FROM projects WHERE id > $1 ORDER BY id LIMIT $2")
    static let ofUpstreams = SQLStatement(
        "SELECT id, project_id, sealed_key FROM upstreams WHERE id > $1 ORDER BY id LIMIT $2")
    static let replaceOfProject = replacement(in: "projects")
    static let replaceOfUpstream = replacement(in: "upstreams")

    private static func replacement(in table: String) -> SQLStatement {
        SQLStatement("UPDATE \(table) SET sealed_key = $3, key_hint = $4 WHERE id = $1 AND sealed_key = $2")
    }
}
