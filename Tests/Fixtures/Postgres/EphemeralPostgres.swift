import Glibc

/// A PostgreSQL server of its own for whoever starts it, reached on 127.0.0.1 or on a socket.
///
/// It is stopped, and its folder removed, by `remove`, with the last reference, or when our process ends in any way.
/// All members may be used from any thread.
public final class EphemeralPostgres: PostgresServer {
    /// On 127.0.0.1. Stays the same, and ours, over `halt` and `resume`.
    public var port: Int { reservation.number }
    /// Holds the data, the socket and `server.log`. Only the server's user and root may enter.
    public var folder: String { launch.folder.path }
    /// Where the socket is; at most 90 bytes long.
    public var socketFolder: String { folder }
    /// The postmaster's process number; nil while it is stopped, or when it has crashed.
    public var processID: Int32? { launch.watchdog.server }

    private let isDurable: Bool
    private let launch: ServerLaunch
    private let reservation: PortReservation

    /// Makes a server and waits until it answers. Blocks, for about 1 s.
    ///
    /// The superuser is `postgres`. When we are root, the server runs as user `postgres`, or `nobody` for want of one.
    /// - Throws: when its programs are not found, or it does not come up. Nothing is left behind then.
    public static func start(_ options: Options = Options()) throws(FixtureError) -> EphemeralPostgres {
        let launch = try ServerLaunch(options)
        for _ in 1...5 {
            let reservation = try PortReservation()
            do {
                try launch.start(port: reservation.number)
                return EphemeralPostgres(launch, reservation, isDurable: options.isDurable)
            } catch {
                // Somebody who insists on one port may have taken it from us.
                guard launch.foundPortTaken else { throw error }
            }
        }
        throw FixtureError("five free ports were all taken by others before the server could: \(launch.folder.logTail)")
    }

    private init(_ launch: ServerLaunch, _ reservation: PortReservation, isDurable: Bool) {
        self.launch = launch
        self.reservation = reservation
        self.isDurable = isDurable
    }

    deinit { remove() }

    /// How a client reaches `database` over TCP, without TLS; with an `sslmode` of their own, callers use `port`.
    public func url(database: String, user: String = "postgres", password: String? = nil) -> String {
        PostgresURL(port: port, user: user, password: password).naming(database)
    }

    /// How a client reaches `database` over TCP as user `postgres`, without TLS.
    public func url(database: String) -> String { url(database: database, user: "postgres") }

    /// Makes a database as a copy of `template`; a nil name is one that no other call has. Blocks, for about 30 ms.
    /// - Throws: when the server is stopped, the name is taken, or somebody is connected to the template.
    public func createDatabase(named name: String?, template: String) throws(FixtureError) -> String {
        let name = name ?? DatabaseStatement.uniqueName()
        let session = try launch.session(in: "postgres", port: port)
        // Copying files costs two checkpoints, which are nearly free without fsync; then it is faster than the log.
        let copiesFiles = !isDurable && session.serverVersion >= 150_000
        _ = try session.run(
            DatabaseStatement.create(name, template: template, strategy: copiesFiles ? "FILE_COPY" : nil))
        return name
    }

    /// Ends all connections to a database, then drops it. Errors are ignored. Blocks.
    public func dropDatabase(_ name: String) { _ = try? run(DatabaseStatement.drop(name)) }

    /// Runs statements as superuser, as one simple query on a connection of its own. Blocks.
    /// - Parameter database: nil for `postgres`.
    /// - Returns: the rows of the last statement, all values as text.
    /// - Throws: when the server is stopped, there is no such database, or a statement fails.
    @discardableResult
    public func run(_ sql: String, in database: String?) throws(FixtureError) -> [[String?]] {
        try launch.session(in: database ?? "postgres", port: port).run(sql)
    }

    /// Makes another server that stands by for this one: from now on this one commits nothing that the other has not on its
    /// disk too. Blocks, for about 2 s.
    ///
    /// PostgreSQL manual, 27.2.8 "Synchronous Replication".
    /// - Throws: when it does not come up.
    public func startStandby() throws(FixtureError) -> EphemeralPostgres {
        var options = Options(isDurable: true)
        options.primaryPort = port
        let standby = try Self.start(options)
        for statement in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            try run(statement, in: nil)
        }
        let isFollowed = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        for _ in 1...500 {
            if try run(isFollowed, in: nil) == [["1"]] { return standby }
            usleep(20_000)
        }
        throw FixtureError("the standby does not follow: \(standby.launch.folder.logTail)")
    }

    /// Makes a standby take the place of its primary, which must have stopped. Blocks until it takes writes.
    /// - Throws: when it doesn't.
    public func promote() throws(FixtureError) {
        guard try run("SELECT pg_promote(true, 20)", in: nil) == [["t"]] else {
            throw FixtureError("the standby was not promoted: \(launch.folder.logTail)")
        }
        // A primary whose standby is gone would wait for it.
        for statement in ["ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"] {
            try run(statement, in: nil)
        }
    }

    /// Stops the server and keeps its folder. Blocks until it has ended: with `smart`, until all clients have left.
    /// Does nothing while it is stopped.
    public func halt(_ mode: StopMode) { launch.watchdog.stopServer(signal: mode.signal) }

    /// Starts the server again, on the same port and folder, and waits until it answers. Blocks.
    /// - Throws: when it does not come up, or was removed.
    public func resume() throws(FixtureError) { try launch.start(port: port) }

    /// Stops the server and removes its folder. Blocks. May be called again.
    public func remove() {
        halt(isDurable ? .fast : .immediate)
        launch.watchdog.end()
    }
}
