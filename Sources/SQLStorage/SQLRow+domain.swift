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
        TokenStanding(
            revokedAt: try optionalInstant(at: 0), expiresAt: try optionalInstant(at: 1),
            projectDeactivatedAt: try optionalInstant(at: 2), requestCount: integer(at: 3),
            maxRequests: integer(at: 4), limits: try tokenLimits(from: 5), requestWindow: try window(at: 14),
            tokenWindow: try window(at: 15), budget: try account(from: 7), projectLimits: try projectLimits(from: 16))
    }

    /// ``Columns/tokenLimits``: nine columns.
    private func tokenLimits(from first: Int) throws(SQLError) -> TokenLimits {
        if isNull(at: first), isNull(at: first + 1), isNull(at: first + 2) { return TokenLimits() }
        guard let shadowed = LimitKinds(text: text(at: first + 8)) else { throw damage(first + 8, "names of limits") }
        return TokenLimits(
            requestsPerMinute: optionalInteger(at: first), tokensPerMinute: optionalInteger(at: first + 1),
            budget: try budget(from: first + 2), shadowed: shadowed)
    }

    /// What ``Columns/account(_:)`` says of limits.
    private func projectLimits(from first: Int) throws(SQLError) -> ProjectLimits {
        ProjectLimits(budget: try budget(from: first), isShadow: !isNull(at: first + 6))
    }

    private func budget(from first: Int) throws(SQLError) -> Budget? {
        guard let amount = optionalInteger(at: first) else { return nil }
        guard let period = BudgetPeriod(rawValue: text(at: first + 1)),
            let mode = BudgetMode(rawValue: text(at: first + 2))
        else { throw damage(first + 1, "the period and mode of a budget") }
        return Budget(NanoDollars(amount), per: period, mode: mode)
    }

    /// ``Columns/account(_:)``: seven columns. `nil` without a budget.
    func account(from first: Int) throws(SQLError) -> BudgetAccount? {
        guard let budget = try budget(from: first) else { return nil }
        return BudgetAccount(
            budget, spent: NanoDollars(integer(at: first + 3)), reserved: NanoDollars(integer(at: first + 4)),
            beganAt: try optionalInstant(at: first + 5) ?? .earliest)
    }

    private func window(at column: Int) throws(SQLError) -> MinuteWindow {
        if isNull(at: column) { return MinuteWindow() }
        guard let window = MinuteWindow(text: text(at: column)) else { throw damage(column, "a window of a minute") }
        return window
    }

    private func damage(_ column: Int, _ wanted: String) -> SQLError {
        SQLError(.corrupt, detail: "column \(column) does not hold \(wanted)")
    }

    func project(from first: Int = 0) throws(SQLError) -> Project {
        Project(
            id: try id(at: first), name: text(at: first + 1), sealedKey: text(at: first + 2),
            keyHint: text(at: first + 3), provider: text(at: first + 4), baseURL: optionalText(at: first + 5),
            deactivatedAt: try optionalInstant(at: first + 6), limits: try projectLimits(from: first + 9),
            streams: try streams(from: first + 16), access: access(from: first + 18),
            cache: try cache(from: first + 20),
            budget: try account(from: first + 9),
            createdAt: try instant(at: first + 7),
            updatedAt: try instant(at: first + 8))
    }

    /// Two columns.
    private func access(from first: Int) -> AccessScope {
        AccessScope(models: lines(at: first), paths: lines(at: first + 1))
    }

    private func lines(at column: Int) -> [String] {
        optionalText(at: column)?.split(separator: "\n").map(String.init) ?? []
    }

    /// A project without them has the usual ones.
    private func streams(from first: Int) throws(SQLError) -> StreamPolicy {
        var policy = StreamPolicy()
        if let name = optionalText(at: first) {
            guard let usage = StreamUsage(rawValue: name) else { throw damage(first, "a policy for usage") }
            policy.usage = usage
        }
        if let name = optionalText(at: first + 1) {
            guard let leaves = ClientLeaves(rawValue: name) else { throw damage(first + 1, "a policy for clients") }
            policy.clientLeaves = leaves
        }
        return policy
    }

    /// The same of the cache.
    private func cache(from first: Int) throws(SQLError) -> CachePolicy {
        var policy = CachePolicy()
        if let name = optionalText(at: first) {
            guard let scope = CacheScope(rawValue: name) else { throw damage(first, "a scope of the cache") }
            policy.scope = scope
        }
        policy.hits = try cacheHits(at: first + 1)
        return policy
    }

    /// A project that says nothing has the usual ones.
    private func cacheHits(at column: Int) throws(SQLError) -> CacheHits {
        guard let name = optionalText(at: column) else { return .count }
        guard let hits = CacheHits(rawValue: name) else { throw damage(column, "a policy for cache hits") }
        return hits
    }

    func upstream() throws(SQLError) -> Upstream {
        Upstream(
            id: try id(at: 0), projectID: try id(at: 1), provider: text(at: 2), sealedKey: text(at: 3),
            keyHint: text(at: 4), baseURL: optionalText(at: 5), priority: integer(at: 6), weight: integer(at: 7),
            deactivatedAt: try optionalInstant(at: 8), createdAt: try instant(at: 9), updatedAt: try instant(at: 10))
    }

    func token(from first: Int = 0) throws(SQLError) -> Token {
        Token(
            id: try id(at: first), projectID: try id(at: first + 1), name: text(at: first + 2),
            hint: text(at: first + 3), expiresAt: try optionalInstant(at: first + 4),
            revokedAt: try optionalInstant(at: first + 5), maxRequests: integer(at: first + 6),
            limits: try tokenLimits(from: first + 14), access: access(from: first + 24),
            requestCount: integer(at: first + 7), promptTokens: integer(at: first + 8),
            completionTokens: integer(at: first + 9), cost: NanoDollars(integer(at: first + 10)),
            cacheHitCount: integer(at: first + 11), budget: try account(from: first + 16),
            shadowRefusalCount: integer(at: first + 23), requestWindow: try window(at: first + 26),
            tokenWindow: try window(at: first + 27), cacheHits: try cacheHits(at: first + 28),
            lastUsedAt: try optionalInstant(at: first + 12), createdAt: try instant(at: first + 13))
    }

    func request() throws(SQLError) -> Admission {
        Admission(
            requestID: try id(at: 0), tokenID: try id(at: 1), projectID: try id(at: 2), admittedAt: try instant(at: 3),
            method: text(at: 4), path: text(at: 5), reservation: reservation(from: 20), settlement: try settlement())
    }

    /// ``Columns/open``.
    func openRequest() throws(SQLError) -> OpenRequest {
        // Those under way have counted, and used nothing yet: the average is rather low than high.
        let counted = max(1, integer(at: 7))
        return OpenRequest(
            requestID: try id(at: 0), tokenID: try id(at: 1), projectID: try id(at: 2), admittedAt: try instant(at: 3),
            reservation: reservation(from: 4),
            average: Reservation(
                promptTokens: integer(at: 8) / counted, completionTokens: integer(at: 9) / counted,
                cost: NanoDollars(integer(at: 10) / counted)))
    }

    /// Three columns.
    private func reservation(from first: Int) -> Reservation {
        if isNull(at: first) { return .none }
        return Reservation(
            promptTokens: integer(at: first), completionTokens: integer(at: first + 1),
            cost: NanoDollars(integer(at: first + 2)))
    }

    private func settlement() throws(SQLError) -> Settlement? {
        guard let settledAt = try optionalInstant(at: 12) else { return nil }
        guard let outcome = RequestOutcome(rawValue: text(at: 7)) else { throw damage(7, "an outcome") }
        var usage: TokenUsage?
        if let prompt = optionalInteger(at: 9), let completion = optionalInteger(at: 10) {
            // A program that did not know of estimates made none.
            let source = isNull(at: 15) ? .provider : UsageSource(rawValue: text(at: 15))
            guard let source else { throw damage(15, "a source of usage") }
            usage = TokenUsage(promptTokens: prompt, completionTokens: completion, source: source)
        }
        return Settlement(
            outcome: outcome, status: Int(integer(at: 8)), settledAt: settledAt,
            durationMicroseconds: integer(at: 13), sentMicroseconds: optionalInteger(at: 17),
            firstByteMicroseconds: optionalInteger(at: 14), usage: usage,
            cost: NanoDollars(integer(at: 11)), model: optionalText(at: 6),
            requestBytes: optionalInteger(at: 18), responseBytes: optionalInteger(at: 19),
            attempts: try attempts(at: 16))
    }

    private func attempts(at column: Int) throws(SQLError) -> [UpstreamAttempt] {
        guard let text = optionalText(at: column) else { return [] }
        guard let attempts = [UpstreamAttempt](text: text) else { throw damage(column, "attempts") }
        return attempts
    }
}

/// Column lists in the order in which ``SQLRow`` reads them.
enum Columns {
    static let project = """
        projects.id, projects.name, projects.sealed_key, projects.key_hint, projects.provider, projects.base_url, \
        projects.deactivated_at, projects.created_at, projects.updated_at, \(account("projects")), \
        projects.stream_usage, projects.client_leaves, \(access("projects")), projects.cache_scope, projects.cache_hits
        """
    static let token = """
        tokens.id, tokens.project_id, tokens.name, tokens.hint, tokens.expires_at, tokens.revoked_at, \
        tokens.max_requests, tokens.request_count, tokens.prompt_tokens, tokens.completion_tokens, tokens.cost_nano, \
        tokens.cache_hit_count, tokens.last_used_at, tokens.created_at, \(tokenLimits), tokens.shadow_refusals, \
        \(access("tokens")), tokens.request_window, tokens.token_window, \
        (SELECT projects.cache_hits FROM projects WHERE projects.id = tokens.project_id)
        """
    /// How many columns ``token`` has.
    static let tokenCount = 29
    static let standing = """
        tokens.revoked_at, tokens.expires_at, projects.deactivated_at, \(counted), tokens.max_requests, \
        \(tokenLimits), tokens.request_window, tokens.token_window, \(account("projects"))
        """
    /// What a token has used of its cap.
    static let counted = """
        (tokens.request_count - CASE WHEN projects.cache_hits = 'free' THEN tokens.cache_hit_count ELSE 0 END)
        """
    private static let tokenLimits = "tokens.requests_per_minute, tokens.tokens_per_minute, \(account("tokens"))"

    private static func access(_ table: String) -> String { "\(table).allowed_models, \(table).allowed_paths" }

    /// A budget and what has gone off it.
    static func account(_ table: String) -> String {
        [
            "budget_nano", "budget_period", "budget_mode", "budget_spent_nano", "budget_reserved_nano",
            "budget_began_at",
            "shadowed_limits",
        ].map { "\(table).\($0)" }.joined(separator: ", ")
    }

    static let request = "\(requestWithoutReservation), \(reservation)"
    static let requestWithoutReservation = """
        id, token_id, project_id, admitted_at, method, path, model, outcome, status, prompt_tokens, \
        completion_tokens, cost_nano, settled_at, duration_us, first_byte_us, usage_source, attempts, sent_us, \
        request_bytes, response_bytes
        """
    static let open = """
        requests.id, requests.token_id, requests.project_id, requests.admitted_at, requests.reserved_prompt_tokens, \
        requests.reserved_completion_tokens, requests.reserved_nano, tokens.request_count, tokens.prompt_tokens, \
        tokens.completion_tokens, tokens.cost_nano
        """
    static let reservation = "reserved_prompt_tokens, reserved_completion_tokens, reserved_nano"
}
