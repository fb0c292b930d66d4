import ProxyDomain
import ProxySecrets
import SQLStorage

/// Turns what the Go proxy keeps into what this program does.
struct GoProxyMapping {
    private let provider: String
    private let reissues: Bool
    private let now: Timestamp
    /// By their identifiers there.
    private var projects: [String: Project] = [:]

    private(set) var batch = ImportBatch()
    private(set) var reissued: [ReissuedToken] = []
    private(set) var refused: [RefusedToken] = []
    private(set) var remarks: [String] = []
    /// Why nothing can be written; `nil` when all can.
    private(set) var fault: String?

    init(provider: String, reissues: Bool, now: Timestamp) {
        self.provider = provider
        self.reissues = reissues
        self.now = now
    }

    mutating func add(_ contents: GoProxyContents, _ keys: GoProxyKeys, sealedBy vault: UpstreamKeyVault) {
        for project in contents.projects { add(project, key: keys[project.id], vault) }
        for token in contents.tokens { add(token) }
        let noted = contents.tokens.count { $0.hasMetadata }
        if noted > 0 { remarks.append("the metadata of \(noted) tokens stays behind: there is no such thing here") }
        if contents.auditEventCount > 0 {
            remarks.append("\(contents.auditEventCount) events of the audit stay behind: keep that database for them")
        }
    }

    // MARK: Projects

    private mutating func add(_ found: GoProxyProject, key: String, _ vault: UpstreamKeyVault) {
        guard (1...200).contains(found.name.count) else {
            fault = "project \(found.id) has a name of \(found.name.count) characters: give it one of 1…200 there first"
            return
        }
        let id =
            ProjectID(found.id)
            ?? ProjectID(Identifier.derived(from: "go-proxy project \(found.id)", at: found.createdAt))
        if key.isEmpty { remarks.append("project '\(found.name)' has no upstream key: give it one before it is used") }
        let sealed = vault.seal(key, for: id)
        let project = Project(
            id: id, name: found.name, sealedKey: sealed.ciphertext, keyHint: sealed.hint, provider: provider,
            deactivatedAt: found.isActive ? nil : found.deactivatedAt ?? now, createdAt: found.createdAt,
            updatedAt: found.updatedAt)
        projects[found.id] = project
        batch.projects.append(project)
    }

    // MARK: Tokens

    private mutating func add(_ found: GoProxyToken) {
        let form = GoProxyTokenForm(found.text)
        let id =
            found.id.flatMap { TokenID($0) }
            ?? TokenID(Identifier.derived(from: "go-proxy token \(form.digest.text)", at: found.createdAt))
        guard let project = projects[found.projectID] else {
            remarks.append("token \(id) (\(form.hint)) stays behind: its project is not there")
            return
        }
        guard let reason = form.refusal else {
            let token = carried(id, found, of: project, hint: form.hint)
            batch.tokens.append(ImportedToken(token, digest: form.digest))
            return
        }
        guard reissues else {
            refused.append(RefusedToken(id: id, project: project.name, hint: form.hint, reason: reason))
            let token = carried(id, found, of: project, hint: form.hint)
            batch.tokens.append(ImportedToken(token, digest: form.digest))
            return
        }
        var random = SystemRandomNumberGenerator()
        let secret = TokenSecret(using: &random)
        reissued.append(ReissuedToken(id: id, project: project.name, formerHint: form.hint, secret: secret))
        let token = carried(id, found, of: project, hint: secret.hint)
        batch.tokens.append(ImportedToken(token, digest: .of(secret), replacing: form.digest))
    }

    private func carried(_ id: TokenID, _ found: GoProxyToken, of project: Project, hint: String) -> Token {
        Token(
            id: id, projectID: project.id, hint: hint, expiresAt: found.expiresAt,
            revokedAt: found.isActive ? nil : found.deactivatedAt ?? now, maxRequests: found.maxRequests,
            requestCount: found.requestCount, cacheHitCount: found.cacheHitCount, lastUsedAt: found.lastUsedAt,
            createdAt: found.createdAt)
    }
}
