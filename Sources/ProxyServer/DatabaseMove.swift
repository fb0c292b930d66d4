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
            from: from.pool, named: from.place.address, to: into.pool, named: into.place.address,
            owner: String(UInt64.random(in: .min ... .max), radix: 36))
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
        do {
            let gone = try await waitUntilGone(servers)
            return try await outcome(wentOn: wentOn, pause: pause, servers: gone)
        } catch {
            throw TransferError.failed(
                "the database has moved, but could not be looked at afterwards (\(error)): look with llm-proxy db verify"
            )
        }
    }

    /// Returns once that many servers are at the target, or have had time for it.
    /// - Returns: how many are.
    private func waitUntilGone(_ servers: Int) async throws -> Int {
        var gone = 0
        for _ in 0..<500 {
            gone = try await copy.answers().count(where: \.hasMoved)
            if gone >= servers { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        return gone
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
        var answers: [MoveAnswer] = []
        for turn in 1...Self.turns {
            try await Task.sleep(for: Self.turn)
            try await copy.catchUp()
            answers = try await copy.answers()
            let able = Set(answers.filter { $0.problem == nil }.map(\.instance))
            if case .file = from.place {
                if try !from.isFileInUse() { return 0 }
                if !able.isEmpty, able.count == answers.count { return 1 }
            } else if turn >= Self.turnsToSeeAll {
                let living = Set(Set(try await storage.instances()).subtracting(before).map(\.instance))
                if case .file = into.place, living.count > 1 { throw Self.tooManyForFile(living.count) }
                if living.isSubset(of: able) { return living.count }
            }
            if turn >= Self.turnsToSeeAll, answers.contains(where: { $0.problem != nil }) { break }
        }
        throw unable(answers)
    }

    private func unable(_ answers: [MoveAnswer]) -> TransferError {
        let failing = answers.first { $0.problem != nil }
        let who = failing.map { "server \($0.instance)" } ?? "a server that has not answered"
        return .refused(
            "\(who) can't go to \(into.place.address)\(failing?.problem.map { " (\($0))" } ?? ""): all serve as before; mend that, and "
                + "run the same again, which goes on, or end it with --abandon")
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
        return vault.seal(into.place.fullURL(request.target), boundTo: MoveKeeper.purpose)
    }
}

extension DatabasePlace {
    /// The URL under which others find it, whatever folder they are in.
    /// - Parameter given: how it was named here.
    fileprivate func fullURL(_ given: String) -> String {
        if case .server = self { given } else { address }
    }
}
