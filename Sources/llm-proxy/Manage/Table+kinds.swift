import ProxyManagement

/// The lists of the management API.
extension Table {
    static let projects = Table(
        columns: [
            Column("ID", .identifier, of: "id"), Column("NAME", .text, of: "name"),
            Column("PROVIDER", .text, of: "provider"), Column("KEY", .word, of: "api_key"),
            Column("STATE", .word) { $0["is_active"] == .bool(true) ? "active" : "inactive" },
        ],
        isPast: { $0["is_active"] == .bool(false) })

    static let tokens = Table(
        columns: [
            Column("ID", .identifier, of: "id"), Column("NAME", .text, of: "name"),
            Column("PROJECT", .identifier, of: "project_id"), Column("USED", .figure) { use(of: $0) },
            Column("EXPIRES", .word) { end(of: $0) },
        ],
        isPast: { $0["is_active"] == .bool(false) })

    static let requests = Table(
        columns: [
            Column("ID", .identifier, of: "id"), Column("AT", .word) { $0["admitted_at"].instant(19) },
            Column("MODEL OR PATH", .text) { $0["model"].string ?? $0["path"].cell },
            Column("STATUS", .word) { outcome(of: $0) }, Column("TOKENS", .figure) { usage(of: $0) },
            Column("USD", .figure, of: "cost_usd"),
        ],
        isPast: { _ in false })

    /// Requests that were counted, and the cap where there is one.
    private static func use(of token: JSONValue) -> String {
        let (count, cap) = (token["request_count"].cell, token["max_requests"].cell)
        return cap == "0" ? count : "\(count)/\(cap)"
    }

    /// When a token ends, a client's or one for the management API; why it has, when it has.
    static func end(of token: JSONValue) -> String {
        if token["revoked_at"] != .null { return "revoked" }
        if token["is_active"] == .bool(false) { return "expired" }
        return token["expires_at"] == .null ? "never" : token["expires_at"].instant(16)
    }

    /// The status that the client got; without one, how it ended.
    private static func outcome(of request: JSONValue) -> String {
        if request["settled_at"] == .null { return "open" }
        return request["status"] == .number("0") ? request["outcome"].cell : request["status"].cell
    }

    /// Prompt and completion.
    private static func usage(of request: JSONValue) -> String {
        guard request["prompt_tokens"] != .null else { return "-" }
        return "\(request["prompt_tokens"].cell)+\(request["completion_tokens"].cell)"
    }
}
