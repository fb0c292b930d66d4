import ArgumentParser
import Glibc
import ProxyFleet
import ProxyManagement
import ProxyServer
import ProxySettings
import ProxyStorage
import SQLStorage

/// `llm-proxy db status`: how the database stands.
struct DatabaseStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tell where the database is, which schema it has, and how many rows.",
        discussion: "Example:\n  llm-proxy db status --json\n\nExit codes: 0 told; 3 it can't be reached.")

    @OptionGroup var settings: SettingsOptions

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        let status = try await DatabaseUpkeep.reach(settings) { try await DatabaseMaintenance.status($0) }
        StandardOutput.write(json ? document(status) : text(status))
    }

    private func text(_ status: DatabaseMaintenance.Status) -> String {
        let migrations =
            status.schema == status.knownSchema ? "up to date" : "this program brings it to \(status.knownSchema)"
        let copy =
            status.unfinishedCopy.map { ["an unfinished copy of \($0): run the same llm-proxy db copy again"] } ?? []
        let move =
            status.move.map { [$0.state == .moved ? "moved to \($0.target)" : "moving to \($0.target)"] } ?? []
        let rows = status.rows.map { "  \($0.name): \($0.rows)" }
        return (["\(status.driver): \(status.place)", "schema \(status.schema): \(migrations)"] + copy + move + rows)
            .joined(separator: "\n")
    }

    private func document(_ status: DatabaseMaintenance.Status) -> String {
        JSONValue.object([
            ("driver", .string(status.driver)), ("place", .string(status.place)), ("schema", .integer(status.schema)),
            ("known_schema", .integer(status.knownSchema)), ("unfinished_copy", .text(status.unfinishedCopy)),
            ("moves_to", .text(status.move?.target)), ("has_moved", .bool(status.move?.state == .moved)),
            ("rows", .object(status.rows.map { ($0.name, .integer($0.rows)) })),
        ]).text
    }
}

/// `llm-proxy db migrate`: brings the schema up to date without serving.
struct DatabaseMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the schema up to date, as a server does when it starts.",
        discussion: "Example:\n  llm-proxy db migrate\n\nExit codes: 0 it is up to date; 3 it can't be reached or used."
    )

    @OptionGroup var settings: SettingsOptions

    func run() async throws {
        let (before, now) = try await DatabaseUpkeep.reach(settings) { try await DatabaseMaintenance.migrate($0) }
        StandardOutput.write(before == now ? "schema \(now): nothing to do" : "schema \(before) -> \(now)")
    }
}

/// `llm-proxy db backup`: writes the database into a file.
struct DatabaseBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Write the database into a file, while servers go on.",
        discussion: """
            SQLite: a database of its own, as it was when the backup began. PostgreSQL: what pg_dump writes, for db restore or pg_restore.
            Encryption keys are not in it: keep them apart from it.

            Example:
              llm-proxy db backup --to backup.db

            Exit codes: 0 written; 1 pg_dump failed; 3 the database can't be reached; 4 refused: the file is there already.
            """)

    @OptionGroup var settings: SettingsOptions

    @Option(
        help: ArgumentHelp("The file to write; it must not be there yet.", valueName: "FILE"), completion: .file())
    var to: String

    func run() async throws {
        let to = to
        try await DatabaseUpkeep.reach(settings) { settings in
            guard settings.database.engine == .postgres else {
                return try await DatabaseMaintenance.writeFile(settings, to: to)
            }
            guard access(to, F_OK) != 0 else {
                throw TransferError.refused("\(to) is there already: name another file")
            }
            let draft = "\(to).part"
            defer { unlink(draft) }
            try await DatabaseUpkeep.run(
                "pg_dump", ["--format=custom", "--no-owner", "--no-privileges", "--no-password", "--file", draft],
                settings)
            guard rename(draft, to) == 0 else {
                throw TransferError.failed("\(to): \(String(cString: strerror(errno)))")
            }
        }
        StandardOutput.write("written to \(to)")
    }
}

/// `llm-proxy db restore`: puts a backup into the place of the database.
struct DatabaseRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put what db backup wrote into the place of the database. No server may run on that.",
        discussion: """
            A file of SQLite is read through before anything is changed, and every invariant is checked in the end.

            Example:
              llm-proxy db restore --from backup.db --replace

            Exit codes: 0 restored, every invariant holds; 1 pg_restore or psql failed, and nothing was changed; 3 a database can't be reached; 4 refused: the database is
            not empty, a server runs, or an invariant is broken.
            """)

    @OptionGroup var settings: SettingsOptions

    @Option(help: ArgumentHelp("The file that db backup wrote.", valueName: "FILE"), completion: .file())
    var from: String

    @Flag(help: "Let go what is in the database.")
    var replace = false

    func run() async throws {
        let (from, replace) = (from, replace)
        let findings = try await DatabaseUpkeep.reach(settings) { settings in
            if settings.database.engine == .postgres {
                try await DatabaseMaintenance.expectFree(settings, replaces: replace)
                try await DatabaseUpkeep.restore(from, settings)
                _ = try await DatabaseMaintenance.migrate(settings)
                try await DatabaseMaintenance.endMove(settings)
            } else {
                try await DatabaseMaintenance.readFile(settings, from: from, replaces: replace)
            }
            return try await DatabaseInspection.verify(settings)
        }
        let broken = findings.filter { !$0.holds }
        for finding in broken { StandardError.write("\(finding.invariant): BROKEN: \(finding.violations) violations") }
        guard broken.isEmpty else { throw ExitCode(4) }
        StandardOutput.write("restored from \(from); every invariant holds")
    }
}

/// What these commands have in common.
private enum DatabaseUpkeep {
    /// As ``DatabaseCommand/reach(_:_:)``; whatever is written meanwhile, also by programs that are run, is for its owner alone.
    static func reach<Value>(
        _ options: SettingsOptions, _ body: (ServerSettings) async throws -> Value
    ) async throws -> Value {
        umask(0o077)
        return try await DatabaseCommand.reach(options, body)
    }

    /// In one transaction, what was there included: pg_restore's own `--clean` can't take partitions away.
    static func restore(_ file: String, _ settings: ServerSettings) async throws {
        let script = "\(file).\(getpid()).sql"
        guard access(script, F_OK) != 0 else {
            throw TransferError.refused("\(script) is there already: remove it, it is written for a moment")
        }
        defer { unlink(script) }
        try await run("pg_restore", ["--no-owner", "--no-privileges", "--file", script, file], settings)
        try await run(
            "psql",
            [
                "--no-psqlrc", "--no-password", "--quiet", "--output", "/dev/null", "--single-transaction", "--set",
                "ON_ERROR_STOP=1",
                "--command", "SET client_min_messages = warning", "--command", DatabaseMaintenance.removal,
                "--file", script,
            ], settings)
    }

    /// Runs one of PostgreSQL's own programs on the database; what it says goes to standard error.
    static func run(_ program: String, _ arguments: [String], _ settings: ServerSettings) async throws {
        let environment = try DatabaseMaintenance.clientEnvironment(
            settings, inherited: ProcessEnvironment.variables)
        let output = "/tmp/llm-proxy-\(program)-\(getpid()).log"
        unlink(output)
        defer { unlink(output) }
        let child = try ChildProcess(program, arguments, environment: environment, folder: ".", outputPath: output)
        while child.exitCode == nil { try await Task.sleep(for: .milliseconds(20)) }
        if !child.output.isEmpty { StandardError.write(child.output) }
        guard child.exitCode == 0 else {
            StandardError.write("llm-proxy: \(program) failed (exit \(child.exitCode ?? -1))")
            throw ExitCode(1)
        }
    }
}
