import ProxyDomain
import ProxyStorage

extension Project {
    /// The project as it is shown: its key only by hint.
    func json(at now: Timestamp) -> JSONValue {
        .object([
            ("id", .string(id.text)),
            ("name", .string(name)),
            ("api_key", .string(keyHint)),
            ("provider", .string(provider)),
            ("base_url", .text(baseURL)),
            ("is_active", .bool(deactivatedAt == nil)),
            ("deactivated_at", .text(deactivatedAt?.text)),
            ("limits", limits.json), ("budget", budget.json(at: now)),
            ("stream_usage", .string(streams.usage.rawValue)),
            ("client_leaves", .string(streams.clientLeaves.rawValue)),
            ("allowed_models", .names(access.models)), ("allowed_paths", .names(access.paths)),
            ("cache_scope", .string(cache.scope.rawValue)), ("cache_hits", .string(cache.hits.rawValue)),
            ("created_at", .string(createdAt.text)),
            ("updated_at", .string(updatedAt.text)),
        ])
    }
}

extension Token {
    /// The token as it is shown: its secret only where `secret` is given, which is once.
    ///
    /// Active means that it may be used at `now` as far as it decides that itself: neither revoked nor expired.
    func json(at now: Timestamp, secret: TokenSecret? = nil) -> JSONValue {
        let isExpired = expiresAt.map { $0 <= now } ?? false
        return .object([
            ("id", .string(id.text)),
            ("token", .string(secret?.revealed() ?? hint)),
            ("project_id", .string(projectID.text)),
            ("name", .string(name)),
            ("expires_at", .text(expiresAt?.text)),
            ("is_active", .bool(revokedAt == nil && !isExpired)),
            ("revoked_at", .text(revokedAt?.text)),
            ("request_count", .integer(requestCount)),
            ("max_requests", .integer(maxRequests)),
            ("limits", limits.json), ("budget", budget.json(at: now)),
            ("consumption", consumption(at: now)),
            ("shadow_refusal_count", .integer(shadowRefusalCount)),
            ("allowed_models", .names(access.models)), ("allowed_paths", .names(access.paths)),
            ("created_at", .string(createdAt.text)),
            ("last_used_at", .text(lastUsedAt?.text)),
            ("cache_hit_count", .integer(cacheHitCount)),
            ("prompt_tokens", .integer(promptTokens)),
            ("completion_tokens", .integer(completionTokens)),
            ("cost_usd", cost.json),
        ])
    }
}

extension RequestRecord {
    /// What is known of the request; the parts of an end are `null` until it has ended.
    var json: JSONValue {
        let end = admission.settlement
        let identity: [(String, JSONValue)] = [
            ("id", .string(admission.requestID.text)),
            ("token_id", .string(admission.tokenID.text)),
            ("project_id", .string(admission.projectID.text)),
            ("method", .string(admission.method)),
            ("path", .string(admission.path)),
        ]
        let course: [(String, JSONValue)] = [
            ("admitted_at", .string(admission.admittedAt.text)),
            ("settled_at", .text(end?.settledAt.text)),
            ("outcome", .text(end?.outcome.rawValue)),
            ("status", end.map { .integer($0.status) } ?? .null),
            ("duration_us", end.map { .integer($0.durationMicroseconds) } ?? .null),
            ("sent_us", end?.sentMicroseconds.map { .integer($0) } ?? .null),
            ("first_byte_us", end?.firstByteMicroseconds.map { .integer($0) } ?? .null),
            ("request_bytes", end?.requestBytes.map { .integer($0) } ?? .null),
            ("response_bytes", end?.responseBytes.map { .integer($0) } ?? .null),
        ]
        let use: [(String, JSONValue)] = [
            ("model", .text(end?.model)),
            ("prompt_tokens", end?.usage.map { .integer($0.promptTokens) } ?? .null),
            ("completion_tokens", end?.usage.map { .integer($0.completionTokens) } ?? .null),
            ("cost_usd", end.map(\.cost.json) ?? .null),
            ("usage_source", .text(end?.usage?.source.rawValue)),
            ("reserved", admission.reservation.json),
            ("attempts", .array((end?.attempts ?? []).map(\.json))),
        ]
        return .object(identity + course + use)
    }
}

extension Reservation {
    /// What was set aside; `null` where nothing was.
    fileprivate var json: JSONValue {
        guard self != .none else { return .null }
        return .object([
            ("prompt_tokens", .integer(promptTokens)), ("completion_tokens", .integer(completionTokens)),
            ("cost_usd", cost.json),
        ])
    }
}

extension UpstreamAttempt {
    fileprivate var json: JSONValue {
        .object([
            ("provider", .string(provider)), ("upstream_id", .text(upstream?.text)), ("result", .string(result.text)),
        ])
    }
}

extension Upstream {
    /// The way as it is shown: its key only by hint.
    var json: JSONValue {
        .object([
            ("id", .string(id.text)),
            ("project_id", .string(projectID.text)),
            ("provider", .string(provider)),
            ("api_key", .string(keyHint)),
            ("base_url", .text(baseURL)),
            ("priority", .integer(priority)),
            ("weight", .integer(weight)),
            ("is_active", .bool(deactivatedAt == nil)),
            ("deactivated_at", .text(deactivatedAt?.text)),
            ("created_at", .string(createdAt.text)),
            ("updated_at", .string(updatedAt.text)),
        ])
    }
}

extension RevocationSummary {
    var json: JSONValue {
        .object([
            ("revoked_count", .integer(revoked)),
            ("already_revoked_count", .integer(alreadyRevoked)),
            ("total_tokens", .integer(total)),
            // One transaction revokes all or none, so none fails alone.
            ("failed_count", .integer(0)),
        ])
    }
}

extension NanoDollars {
    /// Dollars as an exact decimal number.
    var json: JSONValue { .number(decimal()) }
}
