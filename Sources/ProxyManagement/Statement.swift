import ProxyDomain

/// What happened, and what the caller can do about it.
struct Statement {
    let status: Int
    let code: String
    let error: String
    let remedy: String
    var fields: [(name: String, value: String)] = []

    init(
        _ status: Int, _ code: String, _ error: String, _ remedy: String,
        fields: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.code = code
        self.error = error
        self.remedy = remedy
        self.fields = fields
    }

    /// `{"error":…,"code":…,"description":…}`.
    var answer: Answer {
        let document: JSONValue = .object([
            ("error", .string(error)), ("code", .string(code)), ("description", .string(remedy)),
        ])
        return .json(document, status: status, fields: fields)
    }
}

/// The one table from a failure to its answer.
extension ManagementFailure {
    var statement: Statement {
        switch self {
        case .input(let fault): fault.statement
        case .credential(let fault): fault.statement
        case .route(let fault): fault.statement
        case .storage(let fault): fault.statement
        }
    }
}

extension ManagementFailure.InputFault {
    fileprivate var statement: Statement {
        switch self {
        case .invalidJSON(let problem, let offset):
            Statement(
                400, "invalid_json", "The body is not valid JSON: \(problem) at byte \(offset).",
                "Send one JSON object (RFC 8259) in UTF-8, each field once.")
        case .invalid(let name, let rule):
            Statement(400, "invalid_field", "'\(name.shortened)' is not valid.", "'\(name.shortened)' \(rule).")
        case .missing(let name, let hint):
            Statement(400, "missing_field", "'\(name)' is missing.", hint)
        case .unknown(let name, let known):
            Statement(
                400, "unknown_field", "'\(name.shortened)' is not known here.",
                known.isEmpty ? "Send nothing here." : "Known here: \(known.joined(separator: ", ")).")
        case .nothingToChange(let known):
            Statement(
                400, "nothing_to_change", "The body names nothing to change.",
                "Send at least one of: \(known.joined(separator: ", ")).")
        case .keyReused:
            Statement(
                422, "idempotency_key_reused", "Something else was asked under this Idempotency-Key before.",
                "Send another key with another request; the same one only to repeat a request as it was.")
        case .malformedTarget:
            Statement(
                400, "malformed_request", "The method or the target of the request can't be read.",
                "Send a path that begins with '/', percent-encoded where needed.")
        }
    }
}

extension ManagementFailure.CredentialFault {
    fileprivate var statement: Statement {
        switch self {
        case .throttled(let wait):
            Statement(
                429, "too_many_attempts", "Too many wrong management tokens came from this address.",
                "Wait as long as Retry-After says, then send the right token.",
                fields: [("Retry-After", "\(max(1, wait.wholeSecondsUp))")])
        case .insufficient(let role, let needed):
            Statement(
                403, "role_insufficient", "The role '\(role.rawValue)' may not do this.",
                "Use a management token of the role '\(needed.rawValue)'"
                    + (needed < .admin ? " or a higher one." : ", or the server's own MANAGEMENT_TOKEN."))
        case .missing, .wrong:
            Statement(
                401, "unauthorized",
                self == .missing ? "No management token was sent." : "The management token is wrong.",
                "Send 'Authorization: Bearer <management token>'. The token is the server's MANAGEMENT_TOKEN; "
                    + "when that is unset, the server printed at its start where it keeps the one it made.",
                fields: [("WWW-Authenticate", "Bearer")])
        }
    }
}

extension ManagementFailure.RouteFault {
    fileprivate var statement: Statement {
        switch self {
        case .metricsOff:
            Statement(404, "metrics_disabled", "The metrics are switched off.", "Start with ENABLE_METRICS=true.")
        case .methodNotAllowed(let allowed, let hint):
            Statement(
                405, "method_not_allowed", "This method is not allowed here.",
                hint ?? "Use one of: \(allowed.joined(separator: ", ")).",
                fields: [("Allow", allowed.joined(separator: ", "))])
        case .bodyTooLarge:
            Statement(
                413, "request_too_large", "The body is too large.",
                "Send at most \(Management.maximumBodyBytes) bytes.")
        case .notJSON:
            Statement(
                415, "unsupported_media_type", "The body is not marked as plain JSON.",
                "Send 'Content-Type: application/json' and no Content-Encoding.",
                fields: [("Accept", "application/json")])
        case .noSuchRoute:
            Statement(
                404, "route_not_found", "Nothing is served at this path.",
                "The routes are listed in api/openapi.yaml; requests for a provider begin with /v1/.")
        }
    }
}

extension ManagementFailure.StorageFault {
    fileprivate var statement: Statement {
        switch self {
        case .notFound(let subject):
            Statement(
                404, "\(subject.rawValue)_not_found", "There is no such \(subject.noun).",
                "List the ones there are with GET \(subject.listPath).")
        case .alreadyExists(let subject, let field):
            Statement(
                409, "already_exists", "There is a \(subject.noun) with this '\(field)' already.",
                "Choose another '\(field)', or change the \(subject.noun) that has it.")
        case .changedMeanwhile:
            Statement(
                412, "changed_meanwhile", "It has changed since the state that If-Match names.",
                "Nothing was changed. Read it again, and send the ETag of what you find.")
        case .busy:
            Statement(
                409, "under_way", "This is being done already.", "Wait until it has ended, then ask again.",
                fields: [("Retry-After", "10")])
        case .unavailable:
            Statement(
                503, "database_unavailable", "The database can't be reached at the moment.",
                "Nothing was changed. Try again after the time in Retry-After.", fields: [("Retry-After", "1")])
        case .full:
            Statement(
                503, "database_full", "The database has no room left to write.",
                "Nothing was changed. Free space on the server's disk; it recovers by itself.",
                fields: [("Retry-After", "10")])
        case .readOnly:
            Statement(
                503, "database_read_only", "The database may only be read.",
                "Nothing was changed. Let the server's user write to the database, its folder included.",
                fields: [("Retry-After", "10")])
        case .damaged:
            Statement(
                500, "database_damaged", "The database is damaged.",
                "Nothing was changed. Stop the server and restore a backup; the server's log has the details.")
        case .interrupted:
            Statement(
                503, "interrupted", "The request was cut short before it ended.", "Nothing was changed. Try again.",
                fields: [("Retry-After", "1")])
        case .unexpected:
            Statement(
                500, "internal_error", "Something unexpected went wrong in the server.",
                "Look in the server's log for the request id that this answer carries in X-Request-ID.")
        }
    }
}

extension String {
    /// A name from outside, short enough to be repeated.
    fileprivate var shortened: String {
        unicodeScalars.count <= 64 ? self : "\(String(unicodeScalars.prefix(64)))…"
    }
}

extension Duration {
    /// Whole seconds, rounded up.
    fileprivate var wholeSecondsUp: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
