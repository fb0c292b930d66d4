import ProxyDomain
import ProxySecrets
import ProxySettings
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import SystemFacts

/// Moves a database while servers use it: follows it into the other one, waits until all servers can go there, and has them do so.
struct DatabaseMove {
    private let request: DatabaseTransfer.Request
    private let settings: ServerSettings
    private let from: TransferSide
    private let into: TransferSide
    private let copy: LiveCopy

    init(_ request: DatabaseTransfer.Request, _ settings: ServerSettings, _ from: TransferSide, _ into: TransferSide) {
        self.request = request
        self.settings = settings
        self.from = from
        self.into = into
        copy = LiveCopy(
            from: from.pool, named: from.place.address, to: into.pool, named: into.place.address)
    }

    func run(_ progress: @escaping @Sendable (CopyProgress) -> Void) async throws -> DatabaseTransfer.Outcome {
        if try await copy.finishMoved(now: .wallClock) {
            into.lock?.release()
            return try await outcome(wentOn: true, pause: nil, servers: 0)
        }
        let wentOn = try await copy.begin(
            sealedTarget: try sealedTarget(), replacing: request.replaces,
            recordedAs: AuditedCommand.move.event(settings.audit, ["to": into.place.address]), now: .wallClock)
        try await copy.copyRows(progress: progress)
        let servers = try await waitForServers()
        try await copy.catchUp()
        let pause = try await copy.switchOver(now: .wallClock) { [lock = into.lock] in
            // From here on it is a server's.
            lock?.release()
        }
        try await waitUntilGone(servers)
        return try await outcome(wentOn: wentOn, pause: pause, servers: servers)
    }

    /// Returns once that many servers are at the target, or have had time for it.
    private func waitUntilGone(_ servers: Int) async throws {
        for _ in 0..<500 {
            guard try await copy.answers().count(where: \.hasMoved) < servers else { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func outcome(wentOn: Bool, pause: Duration?, servers: Int) async throws -> DatabaseTransfer.Outcome {
        let rows = try await DatabaseCopy.rows(in: from.pool)
        let findings = try await SQLStorage.inspect(into.pool).verify()
        return DatabaseTransfer.outcome(
            from, into, wentOn: wentOn, rows: rows, pause: pause, servers: servers, findings: findings)
    }

    /// Servers on a file are known by its lock; those on PostgreSQL show that they live every two seconds.
    /// - Returns: how many there are, all of which can go over.
    private func waitForServers() async throws -> Int {
        let storage = try await SQLStorage.inspect(from.pool)
        let before = try await storage.instances()
        var last: [MoveAnswer] = []
        for turn in 1...Self.turns {
            try await Task.sleep(for: Self.turn)
            try await copy.catchUp()
            let living: Set<InstanceID>
            if case .server = from.place {
                guard turn >= Self.turnsToSeeAll else { continue }
                living = Set(Set(try await storage.instances()).subtracting(before).map(\.instance))
            } else {
                guard from.isFileInUse else { return 0 }
                living = []
            }
            last = try await copy.answers()
            let able = Set(last.filter { $0.problem == nil }.map(\.instance))
            if case .file = into.place, living.count > 1 { throw Self.tooManyForFile(living.count) }
            let isReady = living.isEmpty ? !from.isFileInUse || !able.isEmpty : living.isSubset(of: able)
            if turn >= Self.turnsToSeeAll, last.contains(where: { $0.problem != nil }) { break }
            if isReady { return max(living.count, from.isFileInUse ? 1 : 0) }
        }
        let problem = last.compactMap(\.problem).first.map { " (\($0))" } ?? ""
        throw TransferError.refused(
            "a server can't go to \(into.place.address)\(problem): nothing was changed; mend that, and run the same again, which goes on, "
                + "or end it with --abandon")
    }

    private static func tooManyForFile(_ count: Int) -> TransferError {
        .refused("\(count) servers use the source, and a file has one: stop the others; or end it with --abandon")
    }

    private static let turn = Duration.milliseconds(250)
    private static let turns = 120
    /// After that every server that lives has shown it.
    private static let turnsToSeeAll = 20

    /// The target's URL, for servers that hold the key.
    private func sealedTarget() throws -> String {
        let vault: UpstreamKeyVault
        if let given = UpstreamKeyVault(settings.encryption) {
            vault = given
        } else if case .file(let path) = from.place,
            let kept = KeyFiles(folder: FilePath.folder(of: path)).read()
        {
            vault = kept
        } else {
            throw TransferError.refused(
                "ENCRYPTION_KEY is not set: servers are told where to go under the key that they have; set it to that")
        }
        return vault.seal(try into.place.fullURL(request.target), boundTo: MoveKeeper.purpose)
    }
}

extension DatabasePlace {
    /// The URL under which others find it, whatever folder they are in.
    /// - Parameter given: how it was named here.
    fileprivate func fullURL(_ given: String) throws -> String {
        if case .server = self { given } else { address }
    }
}
