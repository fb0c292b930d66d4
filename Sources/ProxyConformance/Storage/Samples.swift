import ProxyDomain
import ProxyStorage

extension Timestamp {
    /// 2026-11-23T12:00:00.000Z: the instant at which scenarios begin.
    static let noon = Timestamp(milliseconds: 1_795_435_200_000)
    /// The instant `seconds` after noon.
    static func noon(plus seconds: Int64) -> Timestamp { noon + .seconds(seconds) }
}

extension TypedIdentifier {
    /// The identifier of the thing numbered `number`: later numbers sort later, as later creations do.
    static func sample(_ number: Int) -> Self {
        let milliseconds = UInt64(Timestamp.noon.milliseconds + Int64(number))
        return Self(
            Identifier(
                high: milliseconds << 16 | 0x7000, low: 0x8000_0000_0000_0000 | UInt64(number.magnitude)))
    }
}

extension TokenDigest {
    /// The digest of the secret numbered `number`.
    static func sample(_ number: Int) -> TokenDigest {
        let digits = String(UInt64(number), radix: 16)
        return TokenDigest(text: String(repeating: "d", count: 64 - digits.count) + digits)
    }
}

extension Project {
    /// A project nobody cares about except for what is said here.
    static func sample(
        _ number: Int, name: String? = nil, baseURL: String? = nil, deactivatedAt: Timestamp? = nil,
        createdAt: Timestamp = .noon
    ) -> Project {
        Project(
            id: .sample(number), name: name ?? "project \(number)", sealedKey: "sealed \(number)",
            keyHint: "sk-…\(number)", provider: "openai", baseURL: baseURL, deactivatedAt: deactivatedAt,
            createdAt: createdAt, updatedAt: createdAt)
    }
}

extension Token {
    /// A token nobody cares about except for what is said here.
    static func sample(
        _ number: Int, of project: ProjectID = .sample(1), name: String = "", expiresAt: Timestamp? = nil,
        cap: Int64 = 0, limits: TokenLimits = TokenLimits(), createdAt: Timestamp = .noon
    ) -> Token {
        Token(
            id: .sample(number), projectID: project, name: name, hint: "sk-\(number)…last", expiresAt: expiresAt,
            maxRequests: cap, limits: limits, createdAt: createdAt)
    }
}

extension Admission {
    /// The request numbered `number` of `token`.
    static func sample(
        _ number: Int, of token: Token, at instant: Timestamp = .noon, reservation: Reservation = .none,
        settlement: Settlement? = nil, basis: Basis = .standing
    ) -> Admission {
        Admission(
            requestID: .sample(number), tokenID: token.id, projectID: token.projectID, admittedAt: instant,
            method: "POST", path: "/v1/chat/completions", reservation: reservation,
            settlement: settlement, basis: basis)
    }
}

extension Settlement {
    /// A good end nobody cares about except for what is said here.
    static func sample(
        _ outcome: RequestOutcome = .completed, status: Int = 200, at instant: Timestamp = .noon(plus: 1),
        usage: TokenUsage? = TokenUsage(promptTokens: 7, completionTokens: 11), cost: Int64 = 0
    ) -> Settlement {
        Settlement(
            outcome: outcome, status: status, settledAt: instant, durationMicroseconds: 1500,
            sentMicroseconds: 400, firstByteMicroseconds: 900, usage: usage, cost: NanoDollars(cost),
            model: "gpt-4o-mini", requestBytes: 120, responseBytes: 450)
    }
}

extension RequestSettlement {
    /// The end of the request numbered `number` of `token`.
    static func sample(
        _ number: Int, of token: Token, _ settlement: Settlement = .sample(), reservation: Reservation = .none
    ) -> RequestSettlement {
        RequestSettlement(of: .sample(number, of: token, reservation: reservation), settlement)
    }
}
