import Logging
import ProxyDomain
import ProxyManagement
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
        /// Whether it was said that this server can follow, or what keeps it from that.
        var answered: String??
        var closedSince: ContinuousClock.Instant?
        var hasMovedTo: String?
        /// How often in a row it could not go there.
        var failures = 0
        /// The right to be the one server on the file it went to.
        var lock: ServerLock?
    }

    /// A database that is ready to be served from.
    private struct Standby {
        let target: String
        let place: DatabasePlace
        let pool: ConnectionPool
    }

    private let storage: SQLStorage
    private let instance: InstanceID
    private let settings: DatabaseSettings
    private let keyring: Keyring
    /// Which database the settings name, without a password.
    private let origin: String
    private let logger: Logger
    /// Told once the server is at another database.
    private let moved: @Sendable () -> Void
    private let task = RecurringTask()
    private let state = Mutex(State())

    /// What the sealed URL of a target is bound to.
    static let purpose = "move-target"
    /// How long a database may be closed, if nobody ends that.
    private static let longestPause = Duration.seconds(10)
    /// After a second or two, or later if each takes long.
    private static let failuresToTell = 100

    init(
        _ foundation: StorageFoundation, _ settings: DatabaseSettings, logger: Logger,
        moved: @escaping @Sendable () -> Void
    ) {
        storage = foundation.storage
        instance = foundation.instance
        keyring = foundation.keyring
        origin = (try? DatabasePlace(settings).address) ?? ""
        self.settings = settings
        self.logger = logger
        self.moved = moved
    }

    func start() {
        if case .sqlite = settings.engine, settings.path == ":memory:" { return }
        task.start { [self] in await look() }
    }

    /// Ends, and closes what was made ready. Called before the storage is closed.
    func stop() async {
        await task.stop()
        await forgetStandby()
    }

    /// Lets another server have the file that this one went to. Called after the storage is closed.
    func release() { state.withLock { $0.lock }?.release() }

    /// What the operator should know.
    var warnings: [String] {
        let (moved, target) = state.withLock { ($0.hasMovedTo, $0.standby?.target) }
        if let moved {
            return [
                "the database has moved from \(origin) to \(moved): change DB_DRIVER, DATABASE_PATH and DATABASE_URL before the "
                    + "next start"
            ]
        }
        return target.map {
            ["the database is being copied to \($0), and moves there: old requests are kept meanwhile"]
        } ?? []
    }

    /// - Returns: how long to rest.
    private func look() async -> Duration {
        do {
            guard let move = try await storage.move() else {
                await forgetStandby()
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

    /// Connects to the other database, and says whether that went well.
    private func prepare(_ move: MoveRecord) async throws -> Bool {
        var problem: String?
        do {
            _ = try await standby(for: move)
        } catch {
            problem = "\(error)"
        }
        if state.withLock({ $0.answered }) != .some(problem) {
            try await storage.answerMove(instance, problem: problem)
            state.withLock { $0.answered = .some(problem) }
            logger.notice(
                "the database is moving",
                metadata: ["to": "\(move.target)", "can_follow": "\(problem ?? "yes")"])
        }
        return problem == nil
    }

    private func standby(for move: MoveRecord) async throws -> Standby {
        if let standby = state.withLock({ $0.standby }), standby.target == move.target { return standby }
        await forgetStandby()
        let url = try keyring.open(move.sealedTarget, boundTo: Self.purpose)
        let place = try DatabasePlace(url: url, option: "the move's target")
        let pool: ConnectionPool
        do {
            pool = try await place.connect(settings, for: .serving(instance))
        } catch {
            throw place.unusable(error)
        }
        let standby = Standby(target: move.target, place: place, pool: pool)
        state.withLock { $0.standby = standby }
        return standby
    }

    private func forgetStandby() async {
        let standby = state.withLock { state in
            defer { (state.standby, state.answered) = (nil, nil) }
            return state.standby
        }
        await standby?.pool.close()
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

    /// In a moment the command gives the other database out of its hands.
    private func goOrWait(_ move: MoveRecord) async -> Duration {
        do {
            guard try await !go(move) else { return .seconds(1) }
            return .milliseconds(10)
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

    /// Goes to the other database, once it is whole.
    /// - Returns: whether that was done.
    private func go(_ move: MoveRecord) async throws -> Bool {
        let standby = try await standby(for: move)
        guard try await SQLStorage.isServable(standby.pool) else { return false }
        let lock = try standby.place.lock()
        state.withLock { state in
            state.lock = lock
            state.standby = nil
            state.answered = nil
            state.failures = 0
            state.hasMovedTo = move.target
        }
        await storage.move(to: standby.pool, as: instance)
        logger.notice("the database has moved, and this server with it", metadata: ["to": "\(move.target)"])
        moved()
        return true
    }
}
