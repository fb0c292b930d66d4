import CPostgres
import Glibc
import SQLDatabase
import Synchronization

/// Makes connections to one PostgreSQL database and adds up what they count.
final class PostgresConnector: SQLConnector {
    let address: PostgresAddress
    private let options: PostgresDatabase.Options
    private let counters = PostgresCounters()

    var dialect: Dialect { PostgresDatabase.dialect }
    var canReconnect: Bool { true }

    init(_ address: PostgresAddress, _ options: PostgresDatabase.Options) {
        self.address = address
        self.options = options
    }

    func connect(_ role: ConnectionRole) throws(SQLError) -> any SQLConnection {
        let parameters = Array(parameters)
        guard
            let handle = withPointers(
                parameters.map(\.key),
                { keys in
                    withPointers(parameters.map(\.value)) { values in PQconnectdbParams(keys, values, 0) }
                })
        else { throw SQLError(.connectionLost, detail: "no memory for a connection") }
        guard PQstatus(handle) == CONNECTION_OK else {
            counters.failed.add(1, ordering: .relaxed)
            let error = PostgresFailure.connectionLost(handle)
            PQfinish(handle)
            throw error
        }
        let timeout = timeout(role)
        let connection = PostgresConnection(
            handle, patience: timeout + (timeout < options.statementTimeout ? .seconds(1) : .seconds(5)),
            planLifetime: role == .writer ? options.planLifetime : nil, counters)
        do throws(SQLError) {
            try check(handle)
            try connection.runScript(settings(role, handle))
        } catch {
            connection.close()
            throw error
        }
        counters.connected.add(1, ordering: .relaxed)
        return connection
    }

    /// Whether no server answers at the address, or one that is not ready yet: then trying again can help.
    func isAway() -> Bool {
        let parameters = Array(parameters)
        return withPointers(parameters.map(\.key)) { keys in
            withPointers(parameters.map(\.value)) { values in
                [PQPING_REJECT, PQPING_NO_RESPONSE].contains(PQpingParams(keys, values, 0))
            }
        }
    }

    /// What libpq is told: the address's own words win.
    private var parameters: [String: String] {
        let seconds = max(2, Int((options.connectTimeout / .seconds(1)).rounded(.up)))
        var parameters = [
            "application_name": options.applicationName, "client_encoding": "UTF8",
            "connect_timeout": String(seconds), "keepalives_idle": "10", "keepalives_interval": "3",
            "keepalives_count": "3", "tcp_user_timeout": "10000",
        ]
        let checksAuthority = ["verify-ca", "verify-full"].contains(address.parameters["sslmode"])
        // What libpq 16 calls `system`: the roots that the machine trusts, where the address names none.
        if checksAuthority, let roots = options.systemRoots { parameters["sslrootcert"] = roots }
        parameters.merge(address.parameters) { $1 }
        return parameters
    }

    private func check(_ handle: OpaquePointer) throws(SQLError) {
        func status(_ name: String) -> String { PQparameterStatus(handle, name).map { String(cString: $0) } ?? "" }
        guard PQserverVersion(handle) >= 120_000 else {
            throw SQLError(.setting(name: "server_version", wanted: "12 or newer", found: status("server_version")))
        }
        guard status("server_encoding") == "UTF8" else {
            throw SQLError(.setting(name: "server_encoding", wanted: "UTF8", found: status("server_encoding")))
        }
    }

    private func timeout(_ role: ConnectionRole) -> Duration {
        role == .writer ? options.writerTimeout ?? options.statementTimeout : options.statementTimeout
    }

    /// A commit must be on the disk when it returns, unless the operator wants speed: then the server's own setting holds.
    ///
    /// The writer's statements all find their rows by key. Prepared while a table is small, they would be planned as walks
    /// over all of it, and stay so until the table is next analyzed, while it grows by thousands of rows a second. Plans of
    /// `planLifetime` bound what these settings can't prevent: in a table of one row a walk costs what a look-up does.
    private func settings(_ role: ConnectionRole, _ handle: OpaquePointer) -> String {
        var settings = [
            ("statement_timeout", timeout(role).wholeMilliseconds),
            ("lock_timeout", options.lockTimeout.wholeMilliseconds),
            ("idle_in_transaction_session_timeout", timeout(role).wholeMilliseconds),
            ("client_min_messages", "warning"),
            // Compiling a plan takes tens of milliseconds: more than any statement of ours.
            ("jit", "off"),
        ]
        if role == .writer {
            settings += [
                ("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"),
                ("plan_cache_mode", "force_generic_plan"),
            ]
        }
        var script = settings.map { "SET \($0.0) = \($0.1)" }
        if options.isSynchronous {
            script.append(
                "SELECT set_config('synchronous_commit', 'on', false) "
                    + "WHERE current_setting('synchronous_commit') = 'off'")
        }
        if role == .writer { script.append("LISTEN \(PostgresDatabase.channel)") }
        return script.joined(separator: "; ")
    }

    func statistics() -> [SQLStatistic] { counters.statistics() }

    func statistics(from connection: any SQLConnection) throws(SQLError) -> [SQLStatistic] {
        var figures: [SQLStatistic] = []
        try connection.run(Self.activity) { (row) throws(SQLError) in
            for (column, figure) in Self.figures.enumerated() {
                figures.append(
                    SQLStatistic(
                        name: figure.name, help: figure.help, isCounter: figure.isCounter,
                        value: Double(row.integer(at: column))))
            }
        }
        return figures
    }

    private static let figures: [(name: String, help: String, isCounter: Bool)] = [
        ("database_size_bytes", "Size of the database on the server.", false),
        ("database_server_connections", "Connections to the database, of all its clients.", false),
        ("database_server_commit_total", "Transactions the server has committed.", true),
        ("database_server_rollback_total", "Transactions the server has rolled back.", true),
        ("database_server_cache_hit_total", "Pages the server found in its cache.", true),
        ("database_server_cache_miss_total", "Pages the server had to read.", true),
        ("database_server_deadlock_total", "Deadlocks the server has resolved.", true),
    ]
    private static let activity = SQLStatement(
        """
        SELECT pg_database_size(datid), numbackends, xact_commit, xact_rollback, blks_hit, blks_read, deadlocks
        FROM pg_stat_database WHERE datname = current_database()
        """)
}

extension Duration {
    fileprivate var wholeMilliseconds: String { String(Int(self / .milliseconds(1))) }
}

/// Lends `texts` as C strings in a list that ends with `nil`.
private func withPointers<Value>(
    _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
) -> Value {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    let pointers = copies.map { UnsafePointer($0) } + [nil]
    return pointers.withUnsafeBufferPointer { list in
        // The list has at least its `nil`.
        list.baseAddress.map(body) ?? withUnsafePointer(to: nil, body)
    }
}
