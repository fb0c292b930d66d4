import ProxyDomain
import ProxyStorage
import SQLDatabase

/// Reads our values back. A text that is not one of ours is damage, never a guess.
extension SQLRow {
    func id<ID: TypedIdentifier>(at column: Int, as kind: ID.Type = ID.self) throws(SQLError) -> ID {
        guard let id = ID(text(at: column)) else { throw damage(column, "an identifier") }
        return id
    }

    func instant(at column: Int) throws(SQLError) -> Timestamp {
        guard let instant = Timestamp(text(at: column)) else { throw damage(column, "an instant") }
        return instant
    }

    func optionalInstant(at column: Int) throws(SQLError) -> Timestamp? {
        isNull(at: column) ? nil : try instant(at: column)
    }

    /// Of a token's standing, whose columns begin with ``Columns/standing``.
    func standing() throws(SQLError) -> TokenStanding {
        guard let window = RequestWindow(text: text(at: 6)) else { throw damage(6, "a window of requests") }
        return TokenStanding(
            revokedAt: try optionalInstant(at: 0), expiresAt: try optionalInstant(at: 1),
            projectDeactivatedAt: try optionalInstant(at: 2), requestCount: integer(at: 3),
            maxRequests: integer(at: 4), limits: TokenLimits(requestsPerMinute: optionalInteger(at: 5)), window: window)
    }

    private func damage(_ column: Int, _ wanted: String) -> SQLError {
        SQLError(.corrupt, detail: "column \(column) does not hold \(wanted)")
    }

    func project(from first: Int = 0) throws(SQLError) -> Project {
        Project(
            id: try id(at: first), name: text(at: first + 1), sealedKey: text(at: first + 2),
            keyHint: text(at: first + 3), provider: text(at: first + 4), baseURL: optionalText(at: first + 5),
            deactivatedAt: try optionalInstant(at: first + 6), createdAt: try instant(at: first + 7),
            updatedAt: try instant(at: first + 8))
    }

    func token(from first: Int = 0) throws(SQLError) -> Token {
        Token(
            id: try id(at: first), projectID: try id(at: first + 1), name: text(at: first + 2),
            hint: text(at: first + 3), expiresAt: try optionalInstant(at: first + 4),
            revokedAt: try optionalInstant(at: first + 5), maxRequests: integer(at: first + 6),
            limits: TokenLimits(requestsPerMinute: optionalInteger(at: first + 14)),
            requestCount: integer(at: first + 7), promptTokens: integer(at: first + 8),
            completionTokens: integer(at: first + 9), cost: NanoDollars(integer(at: first + 10)),
            cacheHitCount: integer(at: first + 11), lastUsedAt: try optionalInstant(at: first + 12),
            createdAt: try instant(at: first + 13))
    }

    func request() throws(SQLError) -> Admission {
        Admission(
            requestID: try id(at: 0), tokenID: try id(at: 1), projectID: try id(at: 2), admittedAt: try instant(at: 3),
            method: text(at: 4), path: text(at: 5), settlement: try settlement())
    }

    private func settlement() throws(SQLError) -> Settlement? {
        guard let settledAt = try optionalInstant(at: 12) else { return nil }
        guard let outcome = RequestOutcome(rawValue: text(at: 7)) else { throw damage(7, "an outcome") }
        var usage: TokenUsage?
        if let prompt = optionalInteger(at: 9), let completion = optionalInteger(at: 10) {
            usage = TokenUsage(promptTokens: prompt, completionTokens: completion)
        }
        return Settlement(
            outcome: outcome, status: Int(integer(at: 8)), settledAt: settledAt,
            durationMicroseconds: integer(at: 13), firstByteMicroseconds: optionalInteger(at: 14), usage: usage,
            cost: NanoDollars(integer(at: 11)), model: optionalText(at: 6))
    }
}

/// Column lists in the order in which ``SQLRow`` reads them.
enum Columns {
    static let project = """
        projects.id, projects.name, projects.sealed_key, projects.key_hint, projects.provider, projects.base_url, \
        projects.deactivated_at, projects.created_at, projects.updated_at
        """
    static let token = """
        tokens.id, tokens.project_id, tokens.name, tokens.hint, tokens.expires_at, tokens.revoked_at, \
        tokens.max_requests, tokens.request_count, tokens.prompt_tokens, tokens.completion_tokens, tokens.cost_nano, \
        tokens.cache_hit_count, tokens.last_used_at, tokens.created_at, tokens.requests_per_minute
        """
    static let standing = """
        tokens.revoked_at, tokens.expires_at, projects.deactivated_at, tokens.request_count, tokens.max_requests, \
        tokens.requests_per_minute, tokens.request_window
        """
    static let request = """
        id, token_id, project_id, admitted_at, method, path, model, outcome, status, prompt_tokens, \
        completion_tokens, cost_nano, settled_at, duration_us, first_byte_us
        """
}
