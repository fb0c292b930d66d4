import NIOCore
import ProxyDomain
import ProxyWire

/// Every answer on `/v1` that is ours and not the upstream's.
enum RelayRefusal: Hashable, Sendable {
    case malformed(WireFault)
    case missingCredential
    case malformedCredential
    case tokenNotFound
    case tokenRevoked
    case tokenExpired
    case projectInactive
    case capUsedUp(limit: Int64)
    case requestRateReached(limit: Int64, retryAfterSeconds: Int64)
    case tokenRateReached(limit: Int64, asked: Int64, retryAfterSeconds: Int64?)
    case budgetUsedUp(of: BudgetOwner, budget: Budget, resetsAt: Timestamp?, now: Timestamp)
    case costUnbounded(UnboundedCost)
    case methodNotAllowed(allowed: String)
    case endpointNotFound
    case pathOutOfScope
    case providerNotInProject
    case originRequired
    case originNotAllowed
    case headerRequired(name: String)
    case paramNotAllowed(ParameterRules.Violation)
    case modelNotAllowed
    case bodyTooLarge(limit: UInt64)
    case requestTimeout
    case overloaded
    case databaseUnavailable
    case projectUnusable
    case upstreamUnreachable
    case upstreamReset
    case upstreamInvalid(WireFault)
    case upstreamTimeout
    case upstreamCircuitOpen(TimeAmount)
    /// The client wants an answer from the cache, or none.
    case notCached

    init(_ refusal: AdmissionRefusal, cap: Int64, at now: Timestamp) {
        switch refusal {
        case .unknownToken: self = .tokenNotFound
        case .tokenRevoked: self = .tokenRevoked
        case .tokenExpired: self = .tokenExpired
        case .projectInactive: self = .projectInactive
        case .capUsedUp: self = .capUsedUp(limit: cap)
        case .requestRateReached(let limit, let seconds):
            self = .requestRateReached(limit: limit, retryAfterSeconds: seconds)
        case .tokenRateReached(let limit, let asked, let seconds):
            self = .tokenRateReached(limit: limit, asked: asked, retryAfterSeconds: seconds)
        case .budgetUsedUp(let owner, let budget, let resetsAt):
            self = .budgetUsedUp(of: owner, budget: budget, resetsAt: resetsAt, now: now)
        }
    }

    /// The one table from what happened to status and code.
    var statusAndCode: (status: Int, code: String) {
        switch self {
        case .malformed(let fault): Self.statusAndCode(of: fault)
        case .missingCredential, .malformedCredential: (401, "invalid_token")
        case .tokenNotFound: (401, "token_not_found")
        case .tokenRevoked: (401, "token_inactive")
        case .tokenExpired: (401, "token_expired")
        case .projectInactive: (403, "project_inactive")
        case .capUsedUp: (429, "quota_exceeded")
        case .requestRateReached, .tokenRateReached: (429, "rate_limit_exceeded")
        case .budgetUsedUp: (429, "budget_exceeded")
        case .costUnbounded: (400, "cost_unbounded")
        case .methodNotAllowed: (405, "method_not_allowed")
        case .endpointNotFound, .pathOutOfScope, .providerNotInProject: (404, "endpoint_not_found")
        case .originRequired: (400, "origin_required")
        case .originNotAllowed: (403, "origin_not_allowed")
        case .headerRequired: (400, "header_required")
        case .paramNotAllowed, .modelNotAllowed: (400, "param_not_allowed")
        case .bodyTooLarge: (413, "request_too_large")
        case .requestTimeout: (408, "request_timeout")
        case .overloaded: (503, "overloaded")
        case .databaseUnavailable: (503, "database_unavailable")
        case .projectUnusable: (500, "project_unusable")
        case .upstreamUnreachable: (502, "upstream_unreachable")
        case .upstreamReset: (502, "upstream_reset")
        case .upstreamInvalid: (502, "upstream_invalid_response")
        case .upstreamTimeout: (504, "upstream_timeout")
        case .upstreamCircuitOpen: (503, "upstream_circuit_open")
        case .notCached: (504, "not_cached")
        }
    }

    private static func statusAndCode(of fault: WireFault) -> (Int, String) {
        switch fault {
        case .headTooLarge, .tooManyFields: (431, "headers_too_large")
        case .targetTooLong: (414, "uri_too_long")
        case .unsupportedVersion: (505, "http_version_not_supported")
        default: (400, "malformed_request")
        }
    }

    /// What was wrong and what to do about it. Ours throughout: holds nothing that JSON would have to escape.
    var message: String {
        switch self {
        case .malformed(let fault): fault.explanation
        case .missingCredential:
            "No token was sent. Send it as 'Authorization: Bearer sk-…', or in 'x-api-key', 'api-key' or 'x-goog-api-key'."
        case .malformedCredential:
            "The credential is not a token of this proxy: those begin with 'sk-', and are presented whole. "
                + "Ask the operator for one."
        case .tokenNotFound: "This token is not known here. Ask the operator for a new one."
        case .tokenRevoked: "This token was revoked. Ask the operator for a new one."
        case .tokenExpired: "This token has expired. Ask the operator for a new one."
        case .projectInactive: "The project of this token is deactivated. Ask the operator to activate it."
        case .capUsedUp(let limit): "This token has used up its \(limit) requests. Ask the operator to raise its cap."
        case .requestRateReached(let limit, let seconds):
            "This token may send \(limit) requests a minute (requests_per_minute), and has. Try again in \(seconds) s, or ask "
                + "the operator to raise the limit."
        case .tokenRateReached(let limit, let asked, let seconds):
            "This token may use \(limit) tokens a minute (tokens_per_minute); this request asks for \(asked), its prompt and "
                + "the most it may be answered with together. "
                + (seconds.map { "Try again in \($0) s, or ask the operator to raise the limit." }
                    ?? "Send a smaller max_tokens or a shorter prompt, or ask the operator to raise the limit.")
        case .budgetUsedUp(let owner, let budget, let resetsAt, _):
            "The budget of \(budget.amount.decimal(leastDigits: 2)) US dollars (budget_usd) of this \(owner.rawValue) "
                + (budget.mode == .strict ? "does not cover what this request may cost. " : "is used up. ")
                + (resetsAt.map { "It begins anew at \($0.text); or ask the operator to raise it." }
                    ?? "Ask the operator to raise it.")
        case .costUnbounded(let reason): reason.message
        case .methodNotAllowed(let allowed): "This method is not allowed here. Use one of: \(allowed)."
        case .endpointNotFound: "This path is not among the endpoints that this project's provider allows."
        case .pathOutOfScope:
            "This token may not call this path. Use another, or ask the operator to name it under allowed_paths."
        case .providerNotInProject:
            "This token's project has no key for that provider. Leave it out of the path, or ask the operator for one."
        case .notCached:
            "This answer is not in the cache, and 'Cache-Control: only-if-cached' asks for nothing else. Send the request without it."
        case .originRequired: "This project's provider takes requests of web pages alone: send an Origin field."
        case .originNotAllowed:
            "Pages of this origin may not call this API. Ask the operator to name it under allowed_origins or in CORS_ALLOWED_ORIGINS."
        case .headerRequired(let name): "This project's provider wants the field \(name) in each request. Send it."
        case .paramNotAllowed(.value(let name)):
            "This value of \(name) is not allowed here. Use another, or ask the operator to name it under param_whitelist."
        case .paramNotAllowed(.ambiguous(let name)):
            "This request says \(name) twice, or under a name in other case. Say it once, as it is written here."
        case .paramNotAllowed(.unreadable):
            "Parameters are checked here, and those of this request can't be read. Send one JSON object or a form, not packed."
        case .modelNotAllowed:
            "This token may not use this model. Use another, or ask the operator to name it under allowed_models."
        case .bodyTooLarge(let limit):
            "The body is larger than \(limit) bytes. Send less, or ask the operator to raise MAX_REQUEST_SIZE."
        case .requestTimeout: "The request did not arrive in time. Send it again without long pauses."
        case .overloaded: "Too many requests are in flight. Try again after the time in Retry-After."
        case .databaseUnavailable:
            "The request can't be counted at the moment. Try again after the time in Retry-After."
        case .projectUnusable:
            "The upstream key of this project can't be read, or its provider is not in the providers file. Ask the operator to check "
                + "ENCRYPTION_KEY and API_CONFIG_PATH, or to set the project's api_key again."
        case .upstreamUnreachable: "No connection to the upstream could be made. Try again later."
        case .upstreamReset: "The upstream closed the connection before it answered. Try again."
        case .upstreamInvalid(let fault):
            "The upstream's answer is not valid HTTP and was dropped: \(fault.explanation)"
        case .upstreamTimeout:
            "The upstream did not answer in time. Try again, or ask the operator to raise REQUEST_TIMEOUT."
        case .upstreamCircuitOpen(let wait):
            "The upstream has not answered for a while and is left alone. Try again in \(wait.wholeSeconds) s."
        }
    }

    /// OpenAI's name for the kind of error, which decides the exception that SDKs raise.
    var type: String {
        switch statusAndCode.status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        default: "server_error"
        }
    }

    var extraFields: [(name: String, value: String)] {
        switch statusAndCode.status {
        case 401: [("WWW-Authenticate", "Bearer")]
        case 503:
            if case .upstreamCircuitOpen(let wait) = self {
                [("Retry-After", "\(wait.wholeSeconds)")]
            } else {
                [("Retry-After", "1")]
            }
        default:
            switch self {
            case .methodNotAllowed(let allowed): [("Allow", allowed)]
            case .capUsedUp(let limit):
                // x-should-retry is how the openai SDKs are told not to try again what can't succeed.
                [
                    ("x-ratelimit-limit-requests", "\(limit)"), ("x-ratelimit-remaining-requests", "0"),
                    ("x-should-retry", "false"),
                ]
            case .requestRateReached(let limit, let seconds):
                [
                    ("Retry-After", "\(seconds)"), ("x-ratelimit-limit-requests", "\(limit)"),
                    ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "\(seconds)s"),
                ]
            case .tokenRateReached(let limit, _, let seconds):
                [
                    seconds.map { ("Retry-After", "\($0)") } ?? ("x-should-retry", "false"),
                    ("x-ratelimit-limit-tokens", "\(limit)"), ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "\(seconds ?? MinuteWindow.seconds)s"),
                ]
            case .budgetUsedUp(_, _, let resetsAt, let now):
                resetsAt.map {
                    [("Retry-After", "\(max(1, ($0.milliseconds - now.milliseconds + 999) / 1000))")]
                } ?? [("x-should-retry", "false")]
            default: []
            }
        }
    }

    /// The parameter of the request that is to be changed, if it is one.
    private var parameter: String? {
        switch self {
        case .costUnbounded(let reason): reason.parameter
        case .headerRequired(let name), .paramNotAllowed(.value(let name)), .paramNotAllowed(.ambiguous(let name)): name
        case .modelNotAllowed: GrantScope.model
        default: nil
        }
    }

    /// `{"error":{…}}`, so that SDKs show it.
    var body: String {
        let param = parameter.map { "\"\($0)\"" } ?? "null"
        return
            #"{"error":{"message":"\#(message)","type":"\#(type)","code":"\#(statusAndCode.code)","param":\#(param)}}"#
    }

    /// Whether the connection can't go on, because where the next request begins is not known.
    var losesFraming: Bool {
        switch self {
        case .malformed, .requestTimeout: true
        default: false
        }
    }
}

extension TimeAmount {
    /// Rounded up, 1 or more.
    fileprivate var wholeSeconds: Int64 { max(1, (nanoseconds + 999_999_999) / 1_000_000_000) }
}

extension UnboundedCost {
    fileprivate var message: String {
        let whose = "This token has a strict budget, so what a request can cost at most must be known before. "
        return switch self {
        case .notJSON: whose + "This body is no JSON object. Ask the operator for a token without a strict budget."
        case .noPrice: whose + "This model has no price here. Use another, or ask the operator to add it to prices."
        case .noMaximum: whose + "Send max_completion_tokens (or max_tokens, or max_output_tokens)."
        case .refersElsewhere:
            whose + "This body refers to pictures, sound, files or earlier answers, whose length isn't known here."
        case .endless: whose + "A WebSocket has no end that is known before. Ask the operator for another token."
        }
    }

    fileprivate var parameter: String? {
        switch self {
        case .notJSON, .refersElsewhere, .endless: nil
        case .noPrice: "model"
        case .noMaximum: "max_completion_tokens"
        }
    }
}
