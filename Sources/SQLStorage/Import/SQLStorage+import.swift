import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    /// Tells what writing a batch would do, and changes nothing.
    public func examine(_ batch: ImportBatch) async throws(StorageError) -> ImportFindings {
        try await reading(.listProjects) { try $0.examine(batch) }
    }

    /// Writes a batch in one step, and tells servers.
    ///
    /// What a token has counted is written as used on the day of its last use, or of its making: there are no rows.
    /// - Parameter expected: what ``examine(_:)`` said, without clashes.
    /// - Throws: `.changedMeanwhile` when writing would do something else by now.
    public func write(_ batch: ImportBatch, expecting expected: ImportFindings) async throws(StorageError) {
        _ = try await writing(.createProject, changesGrants: true) { connection in
            guard expected.clashes.isEmpty, try connection.examine(batch) == expected else {
                throw StorageError(.changedMeanwhile)
            }
            for project in batch.projects where expected.newProjects.contains(project.id) {
                try connection.add(project)
            }
            for each in batch.tokens {
                if expected.newTokens.contains(each.token.id) { try connection.add(each) }
                if expected.renewedTokens.contains(each.token.id) { try connection.renew(each) }
            }
        }
    }
}

// MARK: - Looking

extension SQLConnection {
    fileprivate func examine(_ batch: ImportBatch) throws(SQLError) -> ImportFindings {
        var findings = ImportFindings()
        var names: [String: ProjectID] = [:]
        for project in batch.projects {
            if let holder = names.updateValue(project.id, forKey: project.name), holder != project.id {
                findings.clashes.append(.projectName(project.name, holder: holder.text))
            }
            try examine(project, &findings)
        }
        for token in batch.tokens { try examine(token, &findings) }
        return findings
    }

    private func examine(_ project: Project, _ findings: inout ImportFindings) throws(SQLError) {
        guard try text(ImportStatements.projectByID, .id(project.id)) == nil else { return }
        if let holder = try text(ImportStatements.projectByName, .text(project.name)) {
            findings.clashes.append(.projectName(project.name, holder: holder))
        } else {
            findings.newProjects.insert(project.id)
        }
    }

    private func examine(_ each: ImportedToken, _ findings: inout ImportFindings) throws(SQLError) {
        let id = each.token.id
        if let stored = try text(ImportStatements.digestByID, .id(id)) {
            if let former = each.former, stored == former.text {
                findings.renewedTokens.insert(id)
            } else if stored != each.digest.text {
                findings.otherSecrets.insert(id)
            }
        } else if let holder = try text(ImportStatements.tokenByDigest, .text(each.digest.text)) {
            findings.clashes.append(.tokenSecret(id, holder: holder))
        } else {
            findings.newTokens.insert(id)
        }
    }

    /// The first column of the first row; `nil` without one.
    private func text(_ statement: SQLStatement, _ value: SQLValue) throws(SQLError) -> String? {
        try first(statement, [value]) { (row) throws(SQLError) in row.text(at: 0) }
    }
}

// MARK: - Writing

extension SQLConnection {
    fileprivate func add(_ each: ImportedToken) throws(SQLError) {
        let token = each.token
        try add(token, digest: each.digest)
        // What the other program let through beyond the cap is no overshoot of ours.
        try run(ImportStatements.excuse, [.id(token.id)])
        try addUsage(of: token)
    }

    /// Counters must say what rows do; of these there are no rows, only a day's sum.
    private func addUsage(of token: Token) throws(SQLError) {
        guard token.requestCount > 0 else { return }
        try run(
            ImportStatements.addUsage,
            [
                .text(RequestDay(of: token.lastUsedAt ?? token.createdAt).text), .id(token.id), .id(token.projectID),
                .integer(token.requestCount), .integer(token.promptTokens), .integer(token.completionTokens),
                .integer(token.cost.amount), .integer(token.cacheHitCount),
            ])
    }

    fileprivate func renew(_ each: ImportedToken) throws(SQLError) {
        let changed = try run(
            ImportStatements.renew,
            [
                .id(each.token.id), .text(each.digest.text), .text(each.token.hint), .optional(each.former?.text),
            ])
        guard changed == 1 else { throw SQLError(.conflict, detail: "a token got another secret meanwhile") }
    }
}

private enum ImportStatements {
    static let projectByID = SQLStatement("SELECT name FROM projects WHERE id = $1")
    static let projectByName = SQLStatement("SELECT id FROM projects WHERE name = $1")
    static let digestByID = SQLStatement("SELECT digest FROM tokens WHERE id = $1")
    static let tokenByDigest = SQLStatement("SELECT id FROM tokens WHERE digest = $1")
    static let excuse = SQLStatement(
        """
        UPDATE tokens SET request_count_at_cap = request_count
        WHERE id = $1 AND max_requests > 0 AND request_count > max_requests
        """)
    static let addUsage = SQLStatement(
        """
        INSERT INTO usage_daily (day, token_id, project_id, requests, prompt_tokens, completion_tokens, cost_nano,
            cache_hits)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """)
    static let renew = SQLStatement("UPDATE tokens SET digest = $2, hint = $3 WHERE id = $1 AND digest = $4")
}
