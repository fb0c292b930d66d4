public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func create(_ token: Token, digest: TokenDigest) async throws(StorageError) {
        _ = try await writing(.createToken) { connection in
            try connection.refuse(token.id, where: TokenStatements.exists)
            try connection.add(token, digest: digest)
        }
    }

    public func token(_ id: TokenID) async throws(StorageError) -> Token {
        let found = try await reading(.readToken) { connection in
            try connection.first(TokenStatements.find.plain, [.id(id)]) { (row) throws(SQLError) in try row.token() }
        }
        guard let found else { throw StorageError(.notFound) }
        return found
    }

    public func tokens(
        _ filter: TokenFilter, after cursor: TokenID?, limit: Int
    ) async throws(StorageError) -> [Token] {
        try await reading(.listTokens) { connection in
            var values: [SQLValue] = [
                .text(cursor?.text ?? ""), .integer(Int64(limit.clampedToPage)), .integer(filter.isActive.asWish),
                .instant(filter.now),
            ]
            if let project = filter.projectID { values.append(.id(project)) }
            let statement = filter.projectID == nil ? TokenStatements.list : TokenStatements.listOfProject
            return try connection.all(statement, values) { (row) throws(SQLError) in try row.token() }
        }
    }

    public func update(_ id: TokenID, _ change: TokenChange, at now: Timestamp) async throws(StorageError) -> Token {
        var changesExpiry: Int64 = 0
        var expiry: Timestamp?
        switch change.expiry {
        case .at(let instant): (changesExpiry, expiry) = (1, instant)
        case .never: changesExpiry = 1
        case nil: break
        }
        let values: [SQLValue] =
            [
                .id(id), .optional(change.name), .integer(change.isActive.asWish), .instant(now),
                .optional(change.maxRequests), .integer(changesExpiry), .optional(expiry),
                .integer(change.limits == nil ? 0 : 1), .optional(change.limits?.requestsPerMinute),
                .optional(change.limits?.tokensPerMinute),
            ] + (change.limits?.budget).values(at: now) + [
                .optional(change.limits?.shadowed.text), .lines(change.allowedModels), .lines(change.allowedPaths),
            ]
        return try await writing(.updateToken, changesGrants: true) { connection in
            if let expected = change.expected {
                try connection.expect(expected.administered, id, TokenStatements.find) { (row) throws(SQLError) in
                    try row.token().administered
                }
            }
            let changed = try connection.first(TokenStatements.change, values) { (row) throws(SQLError) in
                try row.token()
            }
            guard let changed else { throw StorageError(.notFound) }
            return changed
        }
    }

    public func revoke(_ id: TokenID, at now: Timestamp) async throws(StorageError) -> Bool {
        try await writing(.revokeToken, changesGrants: true) { connection in
            if try connection.run(TokenStatements.revoke, [.id(id), .instant(now)]) > 0 { return true }
            let exists = try connection.first(TokenStatements.exists, [.id(id)]) { (_) throws(SQLError) in true }
            guard exists == true else { throw StorageError(.notFound) }
            return false
        }
    }

    public func revokeTokens(
        of project: ProjectID, at now: Timestamp
    ) async throws(StorageError) -> RevocationSummary {
        try await writing(.revokeProjectTokens, changesGrants: true) { connection in
            let total = try connection.first(TokenStatements.countOfProject, [.id(project)]) {
                (row) throws(SQLError) in row.integer(at: 0)
            }
            guard let total else { throw StorageError(.notFound) }
            let revoked = try connection.revokeTokens(of: project, at: now)
            return RevocationSummary(revoked: revoked, alreadyRevoked: Int(total) - revoked)
        }
    }

    public func grant(for digest: TokenDigest) async throws(StorageError) -> GrantRecord? {
        try await reading(.findGrant) { connection in
            let found = try connection.first(TokenStatements.grant, [.text(digest.text)]) { (row) throws(SQLError) in
                (try row.token(), try row.project(from: Columns.tokenCount))
            }
            guard let (token, project) = found else { return nil }
            return GrantRecord(
                token: token, project: project, upstreams: try connection.activeUpstreams(of: project.id))
        }
    }
}

extension SQLConnection {
    func add(_ token: Token, digest: TokenDigest) throws(SQLError) {
        try run(
            TokenStatements.add,
            [
                .id(token.id), .id(token.projectID), .text(token.name), .text(digest.text), .text(token.hint),
                .optional(token.expiresAt), .optional(token.revokedAt), .integer(token.maxRequests),
                .integer(token.requestCount), .integer(token.promptTokens), .integer(token.completionTokens),
                .integer(token.cost.amount), .integer(token.cacheHitCount), .optional(token.lastUsedAt),
                .instant(token.createdAt), .optional(token.limits.requestsPerMinute),
                .optional(token.limits.tokensPerMinute),
            ] + token.limits.budget.values(at: token.createdAt) + [
                .optional(token.limits.shadowed.text), .lines(token.access.models), .lines(token.access.paths),
            ])
    }
}
