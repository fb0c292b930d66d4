import Logging
import ProxyDomain
import ProxySecrets
import ProxySettings
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import Synchronization

/// Takes a server along when its database moves: looks where to, has a connection there ready, and goes over once all is there.
///
/// Meanwhile requests wait as they do for a database that is away, and are then counted in the other one.
final class MoveKeeper: Sendable {
    private struct State {
        /// Connected to where the database moves.
        var standby: Standby?
        var answer: Answer?
        var closedSince: ContinuousClock.Instant?
        var notedAt: ContinuousClock.Instant?
        /// How often in a row it could not go there.
        var failures = 0
        /// What the operator should know of a move that is under way.
        var notice: String?
        /// Where the database is that the settings don't name.
        var hasMovedTo: String?
    }

    private let storage: SQLStorage
    private let foundation: StorageFoundation
    private let settings: DatabaseSettings
    /// Which database the settings name, without a password.
    private let origin: String
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    /// Told once the server is at another database.
    private let moved: @Sendable () async -> Void
    private let task = RecurringTask()
    private let state = Mutex(State())

    /// What the sealed URL of a target is bound to.
    static let purpose = "move-target"
    /// How long a database may be closed, if nobody ends that.
    static let longestPause = Duration.seconds(5)
    /// After a second or two, or later if each takes long.
    private static let failuresToTell = 100

    init(
        _ foundation: StorageFoundation, _ settings: DatabaseSettings, _ surroundings: Surroundings, logger: Logger,
        moved: @escaping @Sendable () async -> Void
    ) {
        self.foundation = foundation
        self.settings = settings
        self.logger = logger
        self.moved = moved
        storage = foundation.storage
        origin = (try? DatabasePlace(settings).address) ?? ""
        now = surroundings.now
    }

    func start() {
        if case .sqlite = settings.engine, settings.path == ":memory:" { return }
        task.start { [self] in await look() }
    }

    /// Ends, and closes what was made ready. Called after the ledger is closed, whose last batches may have to go along.
    func stop() async {
        await task.stop()
        await forgetStandby()
    }

    /// What the operator should know.
    var warnings: [String] {
        let (moved, notice) = state.withLock { ($0.hasMovedTo, $0.notice) }
        let change = moved.map {
            "the database has moved from \(origin) to \($0): change DB_DRIVER, DATABASE_PATH and DATABASE_URL before the next start"
        }
        return [change, notice].compactMap { $0 }
    }

    /// - Returns: how long to rest.
    private func look() async -> Duration {
        do {
            guard let move = try await storage.move() else {
                await forgetStandby()
                state.withLock { ($0.closedSince, $0.notice, $0.notedAt, $0.answer) = (nil, nil, nil, nil) }
                return .seconds(1)
            }
            switch move.state {
            case .following:
                state.withLock { $0.closedSince = nil }
                return try await prepare(move) ? .milliseconds(50) : .seconds(1)
            case .closed:
                try await waitForEnd()
                return .milliseconds(10)
            case .moved: return await goOrWait(move)
            }
        } catch {
            logger.debug(
                "a move of the database can't be looked at", metadata: ["detail": "\(String(reflecting: error))"])
            return .milliseconds(200)
        }
    }

    /// Whoever closed it may be dead.
    private func waitForEnd() async throws {
        let since = state.withLock { state in
            let since = state.closedSince ?? .now
            state.closedSince = since
            return since
        }
        guard since.duration(to: .now) > Self.longestPause, try await storage.reopen() else { return }
        logger.warning("the database was closed for a move that did not end, and is open again")
    }
}

// MARK: - Getting ready

extension MoveKeeper {
    /// What a server said to one run of the command.
    private struct Answer: Equatable {
        let owner: String
        let problem: String?
    }

    /// A connection to the database that this one moves to, for one run of the command.
    private struct Standby {
        let owner: String
        let place: DatabasePlace
        let pool: ConnectionPool
    }

    /// Connects to the other database, and says whether that went well: once for each run of the command.
    private func prepare(_ move: MoveRecord) async throws -> Bool {
        if state.withLock({ $0.standby?.owner }) != move.owner {
            let answer = Answer(owner: move.owner, problem: await problem(with: move))
            if state.withLock({ $0.answer }) != answer {
                try await storage.answerMove(foundation.instance, problem: answer.problem)
                state.withLock { $0.answer = answer }
                logger.notice(
                    "the database is moving",
                    metadata: ["to": "\(move.target)", "can_follow": "\(answer.problem ?? "yes")"])
            }
            if answer.problem != nil { return false }
        }
        try await note(move)
        return true
    }

    /// Tells the operator of a move that may have been forgotten.
    private func note(_ move: MoveRecord) async throws {
        let last = state.withLock { $0.notedAt }
        if let last, last.duration(to: .now) < .seconds(10) { return }
        state.withLock { $0.notedAt = .now }
        let waiting = try await storage.changesToFollow()
        state.withLock {
            $0.notice =
                "the database is being copied to \(move.target) since \(move.beganAt), to move there (\(waiting) changes to follow; old "
                + "requests are kept meanwhile): run llm-proxy db copy --live to its end, or end it with --abandon"
        }
    }

    /// What keeps this server from following.
    private func problem(with move: MoveRecord) async -> String? {
        guard foundation.journal == nil else {
            return "DATABASE_OUTAGE is spool there: what is in the spool belongs to the old database; set it to wait"
        }
        do {
            let standby = try await standby(for: move)
            guard try await storage.isTarget(standby.pool, of: move) else {
                await forgetStandby()
                return "\(standby.place.address) is another database there than the one that is copied into"
            }
            return nil
        } catch is SecretsError {
            return "its ENCRYPTION_KEY is not that of the command"
        } catch {
            return "\(error)"
        }
    }

    private func standby(for move: MoveRecord) async throws -> Standby {
        if let standby = state.withLock({ $0.standby }), standby.owner == move.owner { return standby }
        await forgetStandby()
        let url = try foundation.keyring.open(move.sealedTarget, boundTo: Self.purpose)
        let place = try DatabasePlace(url: url, option: "the move's target")
        let pool: ConnectionPool
        do {
            pool = try await place.connect(settings, for: .following(foundation.instance))
        } catch {
            throw place.unusable(error)
        }
        let standby = Standby(owner: move.owner, place: place, pool: pool)
        state.withLock { $0.standby = standby }
        return standby
    }

    private func forgetStandby() async {
        let standby = state.withLock { state in
            defer { state.standby = nil }
            return state.standby
        }
        await standby?.pool.close()
    }
}

// MARK: - Going over

extension MoveKeeper {
    /// In a moment the command gives the other database out of its hands.
    private func goOrWait(_ move: MoveRecord) async -> Duration {
        do {
            try await go(move)
            return .seconds(1)
        } catch {
            let isLong = state.withLock { state in
                state.failures += 1
                return state.failures == Self.failuresToTell
            }
            if isLong {
                logger.error(
                    "the database has moved, and this server can't go there",
                    metadata: ["to": "\(move.target)", "detail": "\(error)"])
            }
            return .milliseconds(10)
        }
    }

    /// Goes to the other database, which is whole once this one has moved.
    private func go(_ move: MoveRecord) async throws {
        let standby = try await standby(for: move)
        let lock = try standby.place.lock()
        guard try await storage.finish(move, in: standby.pool, at: now()) else {
            throw StartupError("\(standby.place.address) is another database than the one that was copied into")
        }
        let former = storage.move(to: standby.pool)
        foundation.exchangeLock(for: lock)
        state.withLock { state in
            (state.standby, state.notice, state.notedAt, state.answer) = (nil, nil, nil, nil)
            (state.closedSince, state.failures) = (nil, 0)
            state.hasMovedTo = move.target == origin ? nil : move.target
        }
        logger.notice("the database has moved, and this server with it", metadata: ["to": "\(move.target)"])
        await moved()
        await SQLStorage.leave(former, as: foundation.instance)
    }
}
