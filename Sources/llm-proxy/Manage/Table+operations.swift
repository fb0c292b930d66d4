import ProxyManagement

/// Further lists of the management API.
extension Table {
    static let events = Table(
        columns: [
            Column("ID", .identifier, of: "id"), Column("AT", .word) { $0["timestamp"].instant(19) },
            Column("ACTION", .word, of: "action"), Column("OUTCOME", .word, of: "outcome"),
            Column("ACTOR", .text, of: "actor"), Column("PATH", .text, of: "path"),
        ],
        isPast: { _ in false })

    static let managementTokens = Table(
        columns: [
            Column("ID", .identifier, of: "id"), Column("NAME", .text, of: "name"), Column("ROLE", .word, of: "role"),
            Column("TOKEN", .word, of: "token"), Column("EXPIRES", .word) { end(of: $0) },
        ],
        isPast: { $0["is_active"] == .bool(false) })

    static let upstreams = Table(
        columns: [
            Column("ID", .identifier, of: "id"), Column("PROJECT", .identifier, of: "project_id"),
            Column("PROVIDER", .text, of: "provider"), Column("KEY", .word, of: "api_key"),
            Column("PRIORITY", .figure, of: "priority"), Column("WEIGHT", .figure, of: "weight"),
            Column("STATE", .word) { $0["is_active"] == .bool(true) ? "active" : "inactive" },
        ],
        isPast: { $0["is_active"] == .bool(false) })
}
