import ProxyBlackBox
import Foundation
import Glibc
import ProxyConformance
import FaultFixtures
import ProxyFixtures
import ProxyFleet
import ProxyStorage
import SQLDatabase
import SQLiteDriver
import Synchronization

/// Runs the built program in a folder of its own.
final class ProcessBench: CommandBench {
    let upstream: any UpstreamDouble
    let faultRounds = ProcessInfo.processInfo.environment["FAULT_ROUNDS"].flatMap { Int($0) } ?? 5
    let largeStreamMebibytes = ProcessInfo.processInfo.environment["LARGE_STREAM_MIB"].flatMap { Int($0) } ?? 1024
    private let home = TestFolder()
    private let commands = Shared<[ProcessCommand]>([])
    /// Names each command's output.
    private let started = Shared(0)
    private let fileHold = Shared<FileHold?>(nil)
    private let databases = Shared<[ProcessDatabase]>([])

    init() throws { upstream = try ScriptedUpstream() }

    var folder: String { home.path }

    /// The program: beside the test bundle, or where `LLM_PROXY` says.
    static let program: String = {
        if let named = ProcessInfo.processInfo.environment["LLM_PROXY"] { return named }
        let own = URL(filePath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "")
        let beside = own.deletingLastPathComponent().path() + "llm-proxy"
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : packageFolder + ".build/debug/llm-proxy"
    }()

    func start(_ arguments: [String], environment: [String: String]) async throws -> any RunningCommand {
        let number = started.change { number in
            number += 1
            return number
        }
        let command = ProcessCommand(
            process: try ChildProcess(
                Self.program, arguments, environment: environment, folder: folder,
                outputPath: "\(folder)/output-\(number).txt"))
        commands.change { $0.append(command) }
        return command
    }

    /// Ends whatever still runs, and removes the folder.
    func clear() async {
        for command in commands.value { command.kill() }
        for database in databases.value { await database.remove() }
        upstream.stop()
        home.remove()
    }

    func bytes(of path: String) -> [UInt8]? {
        (try? Data(contentsOf: URL(filePath: "\(folder)/\(path)"))).map { Array($0) }
    }

    func mode(of path: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(path)")
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }

    func files() -> [String] {
        let found = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        return found.filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(folder)/\($0)", isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    func remove(_ path: String) { Glibc.unlink("\(folder)/\(path)") }
    func rename(_ path: String, to other: String) { Glibc.rename("\(folder)/\(path)", "\(folder)/\(other)") }

    func write(_ text: String, to path: String) throws {
        try text.write(toFile: "\(folder)/\(path)", atomically: true, encoding: .utf8)
    }

    func makeDatabase(
        hasOwnServer: Bool, hasWire: Bool, hasStandby: Bool
    ) async throws -> any CommandDatabase {
        let database = try await ProcessDatabase.make(
            hasOwnServer: hasOwnServer, hasWire: hasWire, hasStandby: hasStandby)
        databases.change { $0.append(database) }
        return database
    }

    func makeSQLite(_ script: String, at path: String) async throws {
        let pool = try await SQLiteDatabase.open(.file("\(folder)/\(path)"))
        try await pool.closing { try await pool.write { try $0.runScript(script) } }
    }

    func openStorage(at path: String) async throws -> any Storage {
        try await FileSite(path: "\(folder)/\(path)").open()
    }

    func holdFile(at path: String) async throws {
        let pool = try await SQLiteDatabase.open(.file("\(folder)/\(path)"), mayCreate: false)
        let (hold, isHeld) = (FileHold(pool), Shared(false))
        fileHold.change { $0 = hold }
        Task {
            try await pool.write { connection in
                try connection.begin(.write)
                isHeld.change { $0 = true }
                hold.waitForRelease()
                try connection.rollback()
            }
        }
        guard try await eventually({ isHeld.value }) else { throw TestFailure("the file can't be held") }
    }

    func releaseFile() async {
        let hold = fileHold.value
        hold?.release()
        await hold?.pool.close()
    }

    func harm(_ harm: StorageHarm, at path: String) async throws {
        try await FileSite(path: "\(folder)/\(path)").harm(harm)
    }

    func makeFaults(in files: String) async throws -> any FaultControl {
        let folder = folder
        return ProcessFaults(shim: try await BlockingThreads.shared.run { try FaultShim(in: folder, files: files) })
    }

    func connect(to port: Int) async throws -> any RawConnection { try await SocketConnection.connect(port: port) }
}

/// Faults of programs that are preloaded with a shim.
private struct ProcessFaults: FaultControl {
    let shim: FaultShim

    var environment: [String: String] { shim.environment }

    func disk(_ fault: DiskFault) throws {
        switch fault {
        case .none: try shim.disk(.none)
        case .full: try shim.disk(.full)
        case .failing: try shim.disk(.failing)
        case .unsynced: try shim.disk(.unsynced)
        case .short: try shim.disk(.short)
        case .readOnly: try shim.disk(.readOnly)
        }
    }

    func clock(ahead seconds: Int64) throws { try shim.clock(ahead: seconds) }
}

/// A connection that holds a file until it is told to let go.
private final class FileHold: Sendable {
    let pool: ConnectionPool
    private let isReleased = Shared(false)

    init(_ pool: ConnectionPool) { self.pool = pool }

    func release() { isReleased.change { $0 = true } }

    /// Blocks the connection's own thread, for a minute at most.
    func waitForRelease() {
        for _ in 0..<12_000 where !isReleased.value { usleep(5000) }
    }
}

/// The program, run once.
private struct ProcessCommand: RunningCommand {
    let process: ChildProcess

    var output: String { process.output }
    var exitCode: Int? { process.exitCode }
    var residentBytes: Int? { exitCode == nil ? ProcessUsage(of: process.pid)?.residentBytes : nil }
    func terminate() { process.terminate() }
    func hangUp() { process.hangUp() }
    func kill() { process.kill() }
}
