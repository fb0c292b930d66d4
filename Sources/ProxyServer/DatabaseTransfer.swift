import ProxyDomain
public import ProxySettings
public import ProxyStorage
import SQLDatabase
public import SQLStorage
import SystemFacts

/// Moves everything from one database into another: while no server uses either, or, live, while servers use the one and then go over.
public enum DatabaseTransfer {
    /// What to copy, and how.
    public struct Request: Sendable {
        /// `postgres://…`, `sqlite:PATH`, or a SQLite file's path.
        public let source: String
        public let target: String
        /// Whether what is in the target may be removed.
        public let replaces: Bool
        /// Whether to look only.
        public let isDryRun: Bool
        /// Whether servers may use the source meanwhile, and go over to the target.
        public let isLive: Bool

        public init(
            source: String, target: String, replaces: Bool = false, isDryRun: Bool = false, isLive: Bool = false
        ) {
            self.source = source
            self.target = target
            self.replaces = replaces
            self.isDryRun = isDryRun
            self.isLive = isLive
        }
    }

    /// What a copy did, or would do.
    public struct Outcome: Sendable {
        /// Both databases, without passwords.
        public let source: String
        public let target: String
        /// Whether it went on with a copy that had not ended.
        public let wentOn: Bool
        /// What there was to be copied.
        public let rows: [TableRows]
        /// What arrived; `nil` when nothing was copied.
        public let copied: CopyResult?
        /// For how long nothing could be changed in either, while servers went over; `nil` when none did.
        public let pause: Duration?
        /// How many servers went over.
        public let servers: Int
        /// The invariants, in the target.
        public let findings: [InvariantFinding]
        /// Where the key lies that upstream keys are sealed under, if beside the source.
        public let keyFile: String?
    }

    /// Copies, compares both sides row by row, and checks every invariant in the target.
    /// - Parameters:
    ///   - settings: of the connections, not of the places.
    ///   - progress: told after every page.
    public static func copy(
        _ request: Request, settings: ServerSettings, progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws(TransferError) -> Outcome {
        let source = try place(request.source, option: "--from")
        let target = try place(request.target, option: "--to")
        guard !source.isSame(as: target) else {
            throw .usage("--from and --to are the same database: name another as --to")
        }
        return try await TransferSide.with(source, settings.database, as: request.isLive ? .followed : .source) {
            from in
            try await TransferSide.with(target, settings.database, as: request.isDryRun ? .looked : .target) { into in
                if request.isDryRun { return try await look(request, from, into) }
                guard request.isLive else {
                    return try await run(request, settings.audit, from, into, progress)
                }
                return try await DatabaseMove(request, settings, from, into).run(progress)
            }
        }
    }

    private static func run(
        _ request: Request, _ audit: AuditSettings, _ from: TransferSide, _ into: TransferSide,
        _ progress: @escaping @Sendable (CopyProgress) -> Void
    ) async throws -> Outcome {
        let copy = DatabaseCopy(from: from.pool, named: from.place.address, to: into.pool)
        let now = Timestamp.wallClock
        let copied = try await copy.run(replacing: request.replaces, now: now, progress: progress)
        let findings = try await SQLStorage.inspect(into.pool).verify()
        let event = AuditedCommand.copy.event(audit, ["from": from.place.address, "to": into.place.address])
        try await copy.finish(at: now, recordedAs: event)
        return outcome(
            from, into, wentOn: copied.wentOn, rows: copied.tables.map(\.rows), copied: copied, findings: findings)
    }

    private static func look(
        _ request: Request, _ from: TransferSide, _ into: TransferSide
    ) async throws -> Outcome {
        let copy = DatabaseCopy(from: from.pool, named: from.place.address, to: into.pool)
        let rows = try await copy.sourceRows()
        guard into.isMade else { return outcome(from, into, wentOn: false, rows: rows) }
        let (held, goesOn) = (try await copy.targetRows(), try await copy.goesOn())
        let isFree = goesOn || request.replaces || held.allSatisfy { $0.rows == 0 }
        guard isFree else { throw DatabaseCopyError.targetNotEmpty(held) }
        return outcome(from, into, wentOn: goesOn, rows: rows)
    }

    static func outcome(
        _ from: TransferSide, _ into: TransferSide, wentOn: Bool, rows: [TableRows], copied: CopyResult? = nil,
        pause: Duration? = nil, servers: Int = 0, findings: [InvariantFinding] = []
    ) -> Outcome {
        var keyFile: String?
        if case .file(let path) = from.place {
            let path = FilePath.folder(of: path) + "/encryption-key"
            keyFile = SecretFile.exists(path) ? path : nil
        }
        return Outcome(
            source: from.place.address, target: into.place.address, wentOn: wentOn, rows: rows, copied: copied,
            pause: pause, servers: servers, findings: findings, keyFile: keyFile)
    }

    /// Ends that a database is followed, and opens it again, whether it has moved or not.
    /// - Returns: the database, and where it was moving to; `nil` where nothing followed it.
    public static func abandon(
        _ source: String, settings: ServerSettings
    ) async throws(TransferError) -> (source: String, move: MoveRecord?) {
        let place = try place(source, option: "--from")
        return try await TransferSide.with(place, settings.database, as: .followed) { side in
            let event = AuditedCommand.stay.event(settings.audit)
            return (place.address, try await LiveCopy.abandon(side.pool, recordedAs: event))
        }
    }

    private static func place(_ url: String, option: String) throws(TransferError) -> DatabasePlace {
        do {
            return try DatabasePlace(url: url, option: option)
        } catch {
            throw .usage(error.description)
        }
    }
}

/// Why a transfer did not happen; each says what to do about it.
public enum TransferError: Error, Hashable, Sendable {
    /// What was asked makes no sense.
    case usage(String)
    /// A database can't be reached, or broke off.
    case unreachable(String)
    /// It must not be done as things are.
    case refused(String)
    /// Somebody uses a database.
    case inUse(String)
    /// It was done, and both sides differ.
    case failed(String)
}

extension TransferError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .usage(let text), .unreachable(let text), .refused(let text), .inUse(let text), .failed(let text):
            text
        }
    }

    init(_ error: DatabaseCopyError) {
        switch error {
        case .targetNotEmpty(let tables):
            let held = tables.filter { $0.rows > 0 }.map { "\($0.rows) \($0.name)" }.joined(separator: ", ")
            self = .refused("the target is not empty (\(held)): name another, or remove what it holds with --replace")
        case .sourceUnfinished:
            self = .refused("the source is itself a copy that did not end: end that one first")
        case .moved(let target):
            self = .refused(
                "the source has moved to \(target) already: copy from there, or open it again with --abandon")
        case .movesElsewhere(let target):
            self = .refused("the source moves to \(target): go on with that, or end it with --abandon")
        case .rowDiffers(let table, let key):
            self = .failed(
                "\(table) \(key) is not the same on both sides: somebody has written to the target; stop that, and copy again with "
                    + "--replace. Servers serve from the source, as before")
        case .putAside:
            self = .refused(
                "another llm-proxy db copy of the same source has taken over, or it was ended with --abandon")
        case .tookTooLong:
            self = .failed(
                "the last changes took too long to bring over, and servers serve from the source again: try again with less load"
            )
        case .shrunk(let table, let before, let now):
            self = .failed(
                "\(table) of the source had \(before) rows when the copy began and has \(now) now: somebody has removed some; "
                    + "stop that, and copy again with --replace")
        case .differs(let table, let source, let target):
            self = .failed(
                "\(table) is not the same on both sides (\(source.rows) rows, \(source.text); \(target.rows) rows, "
                    + "\(target.text)): somebody has written to one of them; stop that, and copy again with --replace")
        }
    }
}
