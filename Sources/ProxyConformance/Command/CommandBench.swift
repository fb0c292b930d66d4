public import ProxyStorage

/// Where the program is run: an empty folder, an upstream, and a look at what is left behind.
public protocol CommandBench: Sendable {
    /// The folder the program runs in.
    var folder: String { get }
    /// What servers may forward to.
    var upstream: any UpstreamDouble { get }
    /// How many MiB a large stream is made of: less where the build is slow.
    var largeStreamMebibytes: Int { get }
    /// How often a scenario that breaks things at random moments does so.
    var faultRounds: Int { get }

    /// Starts the program with exactly this environment.
    func start(_ arguments: [String], environment: [String: String]) async throws -> any RunningCommand

    /// What a file in the folder holds; `nil` when there is none.
    func bytes(of path: String) -> [UInt8]?
    /// A file's permission bits; `nil` when there is none.
    func mode(of path: String) -> Int?
    /// Names of all files below the folder, sorted.
    func files() -> [String]
    /// Gives a file in the folder another name; does nothing when there is none.
    func rename(_ path: String, to other: String)
    func remove(_ path: String)
    /// Writes a file in the folder.
    func write(_ text: String, to path: String) throws

    /// Makes an empty PostgreSQL database, removed with the bench.
    /// - Parameters:
    ///   - hasOwnServer: whether a server is made for it alone, which can be stopped.
    ///   - hasWire: whether servers reach it over a wire that can be frozen.
    ///   - hasStandby: whether another server stands by for its own one, and ``CommandDatabase/url`` names both.
    func makeDatabase(hasOwnServer: Bool, hasWire: Bool, hasStandby: Bool) async throws -> any CommandDatabase

    /// Makes a SQLite file with a script of SQL.
    func makeSQLite(_ script: String, at path: String) async throws
    /// Opens a SQLite file that no server uses now.
    func openStorage(at path: String) async throws -> any Storage
    /// Begins to write to a SQLite file, beside the server that has it, and leaves it at that until ``releaseFile()``.
    func holdFile(at path: String) async throws
    func releaseFile() async
    /// Does harm to a SQLite file.
    func harm(_ harm: StorageHarm, at path: String) async throws

    /// Makes what lets files fail and the clock step, of programs that are started with its environment.
    /// - Parameter files: what the paths of files have in common whose writes may fail.
    func makeFaults(in files: String) async throws -> any FaultControl

    /// Connects to a port of 127.0.0.1.
    func connect(to port: Int) async throws -> any RawConnection
}

/// Lets files of programs fail and their clocks step, while they run.
public protocol FaultControl: Sendable {
    /// What a program needs in its environment.
    var environment: [String: String] { get }
    /// From now on this befalls the files.
    func disk(_ fault: DiskFault) throws
    /// From now on clocks are so many seconds ahead; behind when below 0.
    func clock(ahead seconds: Int64) throws
}

/// What may befall writes to files.
public enum DiskFault: String, Sendable, CaseIterable {
    case none
    /// There is no room left.
    case full
    /// The device fails, when it is written to and when it is synced.
    case failing
    /// What was written can't be synced.
    case unsynced
    /// Half of each write is done.
    case short
    /// The file system may only be read.
    case readOnly = "read-only"
}

/// The program, running or ended.
public protocol RunningCommand: Sendable {
    /// What it wrote so far, both streams together.
    var output: String { get }
    /// Its resident memory; `nil` when it has ended.
    var residentBytes: Int? { get }
    /// How it ended; `nil` while it runs. 128 more than a signal's number when that ended it.
    var exitCode: Int? { get }

    /// Asks it to end (SIGTERM).
    func terminate()
    /// Asks it to read its files again (SIGHUP).
    func hangUp()
    /// Ends it at once (SIGKILL).
    func kill()
}

/// A server that was started at a bench.
struct CommandServer: ProxyAccess {
    let command: any RunningCommand
    let bench: any CommandBench
    let managementToken: String
    let port: Int
    var upstream: any UpstreamDouble { bench.upstream }

    func connect() async throws -> any RawConnection { try await bench.connect(to: port) }
}

extension CommandBench {
    /// Starts a server in this folder, on a free port, and waits until it serves.
    func serve(_ environment: [String: String] = [:], arguments: [String] = []) async throws -> CommandServer {
        let address = ["--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:\(upstream.port)"]
        // A machine that stalls is not what scenarios are about: those that are about waiting set it themselves.
        let patient = ["DATABASE_WAIT": "10s"].merging(environment) { $1 }
        let command = try await start(["server"] + address + arguments, environment: patient)
        guard
            try await eventually(
                within: .seconds(60), { command.output.contains("serves on http") || command.exitCode != nil }),
            let port = port(in: command.output)
        else { throw StepFailed(description: "no server: \(command.output)") }
        let kept = bytes(of: "data/management-token").map { String(decoding: $0, as: UTF8.self) }
        let token = (environment["MANAGEMENT_TOKEN"] ?? kept ?? "").filter { !$0.isWhitespace }
        return CommandServer(command: command, bench: self, managementToken: token, port: port)
    }

    func port(in output: String) -> Int? {
        for line in output.split(separator: "\n") {
            guard line.contains("serves on http"), let colon = line.lastIndex(of: ":") else { continue }
            return Int(line[line.index(after: colon)...].prefix { $0.isNumber })
        }
        return nil
    }

    /// Runs the program to its end.
    func finish(
        _ arguments: [String], environment: [String: String] = [:], within time: Duration = .seconds(60)
    ) async throws -> (code: Int?, output: String) {
        let command = try await start(arguments, environment: environment)
        _ = try await eventually(within: time) { command.exitCode != nil }
        return (command.exitCode, command.output)
    }
}

extension CommandBench {
    /// A SQLite file that no server uses now keeps every invariant, and no request in it is open.
    func expectSoundAndSettled(_ path: String, _ check: Check) async throws {
        let storage = try await openStorage(at: path)
        check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
        check.equal(try await storage.settleAbandoned(at: .noon), 0, "open requests")
        await storage.close()
    }
}

extension CommandServer {
    /// Asks it to end and waits for that. Gives how it ended.
    func stop() async throws -> Int? {
        command.terminate()
        // Less than the grace that servers usually have: none is to take as long as that.
        _ = try await eventually(within: .seconds(20)) { command.exitCode != nil }
        return command.exitCode
    }

    /// Ends it at once and waits for that.
    func kill() async throws {
        command.kill()
        _ = try await eventually(within: .seconds(60)) { command.exitCode != nil }
    }

    /// The value of the first metric whose line begins with `name`.
    func metric(_ name: String) async throws -> Double? {
        let text = try await exchange(HTTPRequest(method: "GET", target: "/metrics")).text
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: " ").last.flatMap { Double($0) }
    }
}
