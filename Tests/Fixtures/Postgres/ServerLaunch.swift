import Glibc

/// A server's data under a watchdog, to be started as often as needed.
struct ServerLaunch {
    let folder: ServerFolder
    let watchdog: Watchdog

    private static let patience = Duration.seconds(20)

    /// Makes folder, watchdog and data. Blocks.
    init(_ options: EphemeralPostgres.Options) throws(FixtureError) {
        let programs = try ServerPrograms.find()
        let account = try ServerAccount.needed()
        folder = try ServerFolder(for: account)
        watchdog = try Watchdog(
            arguments: options.arguments(socketFolder: folder.path),
            environment: Self.environment(folder, programs, account, options))
        guard watchdog.makeData() else { throw FixtureError("no data were made: \(folder.logTail)") }
        if let tls = options.tls {
            try folder.copyIntoData(tls.certificate, as: EphemeralPostgres.Options.certificateName)
            try folder.copyIntoData(tls.key, as: EphemeralPostgres.Options.keyName)
        }
    }

    /// Starts the server and waits until it answers. Blocks.
    func start(port: Int) throws(FixtureError) {
        guard watchdog.startServer(port: port) else {
            throw FixtureError("the server in \(folder.path) was removed: start another")
        }
        let deadline = ContinuousClock.now + Self.patience
        while !isAnswering(port) {
            guard watchdog.server != nil else { throw FixtureError("the server did not start: \(folder.logTail)") }
            guard ContinuousClock.now < deadline else {
                watchdog.stopServer(signal: SIGQUIT)
                throw FixtureError("the server does not answer after \(Self.patience): \(folder.logTail)")
            }
            usleep(20_000)
        }
    }

    /// Whether the server last started gave up because somebody else has its port.
    var foundPortTaken: Bool { folder.logTail.contains("Address already in use") }

    /// Connects over the socket, as superuser: nobody else can be answering there, and no password is asked for.
    func session(in database: String, port: Int) throws(FixtureError) -> Session {
        try Session([
            ("host", folder.path), ("port", String(port)), ("user", "postgres"), ("dbname", database),
            ("options", "-c client_min_messages=warning"),
        ])
    }

    private func isAnswering(_ port: Int) -> Bool {
        do {
            _ = try session(in: "postgres", port: port)
            return true
        } catch {
            return false
        }
    }

    /// All that the watchdog and the server know of ours. The language of their messages is fixed.
    private static func environment(
        _ folder: ServerFolder, _ programs: ServerPrograms, _ account: ServerAccount?,
        _ options: EphemeralPostgres.Options
    ) -> [String] {
        let kept = ["PATH", "LD_LIBRARY_PATH"].compactMap { name -> String? in
            getenv(name).map { value in name + "=" + String(cString: value) }
        }
        return kept + [
            "LC_ALL=C", "TZ=UTC", "HOME=\(folder.path)", "FOLDER=\(folder.path)", "PROGRAMS=\(programs.folder)",
            "AS_SERVER=\(account?.prefix ?? "")",
            "HOST_AUTHENTICATION=\(options.requiresPassword ? "scram-sha-256" : "trust")",
            "PRIMARY_PORT=\(options.primaryPort.map(String.init) ?? "")",
        ]
    }
}
