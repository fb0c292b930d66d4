import ProxyDomain
import ProxySettings
import SQLDatabase

extension ServerDoctor {
    /// Most that this machine's clock may differ from the database's: instants of several servers are compared.
    private static let largestSkew = Duration.seconds(1)

    /// What is in force in the engine, read back from it.
    func engine(_ place: DatabasePlace, _ pool: ConnectionPool) async -> [DoctorFinding] {
        do {
            if case .server = place { return [try await postgres(pool), try await clock(pool)] }
            return [try await sqlite(pool)]
        } catch {
            let found = "its settings can't be read: \(error)"
            return [.failed("database settings", found, remedy: "look at the database's log")]
        }
    }

    private func sqlite(_ pool: ConnectionPool) async throws -> DoctorFinding {
        let names = ["journal_mode", "synchronous", "foreign_keys"]
        let found: [String] = try await pool.read { connection in
            try names.map { name in
                try connection.first(SQLStatement("PRAGMA \(name)")) { (row) throws(SQLError) in row.text(at: 0) } ?? ""
            }
        }
        let wanted = ["wal", settings.database.synchronous == .full ? "2" : "1", "1"]
        guard found == wanted else {
            return .failed(
                "database settings", Self.pairs(names, found),
                remedy: "let nothing else set them: \(Self.pairs(names, wanted)) is needed")
        }
        return .ok("database settings", Self.pairs(names, found))
    }

    private static func pairs(_ names: [String], _ texts: [String]) -> String {
        zip(names, texts).map { "\($0)=\($1)" }.joined(separator: ", ")
    }

    private func postgres(_ pool: ConnectionPool) async throws -> DoctorFinding {
        let names = ["server_version", "server_encoding", "synchronous_commit"]
        let columns = names.map { "current_setting('\($0)')" }.joined(separator: ", ")
        let found: [String] = try await pool.read { connection in
            try connection.first(SQLStatement("SELECT \(columns)")) { (row) throws(SQLError) in
                names.indices.map { row.text(at: $0) }
            } ?? []
        }
        let shown = Self.pairs(names, found)
        if settings.database.synchronous == .full, found.last == "off" {
            return .warning(
                "database settings", shown,
                remedy: "a crash of the server loses the last commits: set synchronous_commit to on")
        }
        return .ok("database settings", shown)
    }

    /// The server's clock against the middle of the time that asking it took.
    private func clock(_ pool: ConnectionPool) async throws -> DoctorFinding {
        let now = surroundings.now
        let skew: Int64 = try await pool.read { connection in
            let before = now().milliseconds
            let there = try connection.first(Self.askingTime) { (row) throws(SQLError) in row.integer(at: 0) }
            let after = now().milliseconds
            return (there ?? after) - (before + after) / 2
        }
        let found = "the database's clock is \(skew.magnitude) ms \(skew < 0 ? "behind" : "ahead of") this machine's"
        guard Duration.milliseconds(skew.magnitude) > Self.largestSkew else { return .ok("clock", found) }
        return .warning("clock", found, remedy: "keep both by NTP: budgets and expiries go by these clocks")
    }

    private static let askingTime = SQLStatement(
        "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
}
