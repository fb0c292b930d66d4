import ArgumentParser
import Glibc
import ProxyManagement
import ProxyServer
import ProxySettings
import ProxyStorage
import SQLStorage

/// `llm-proxy db copy`: moves everything from one database into another.
struct DatabaseCopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copy everything from one database into another: SQLite to PostgreSQL, or back.",
        discussion: """
            No server may use either meanwhile. A copy that was stopped goes on where it was when the same command is run again, and
            no server starts on it before it is whole. In the end every row is compared, and every invariant checked.

            With --live servers go on: the target follows what changes in the source, and when all is there every server goes over by
            itself, within a moment in which requests wait. Change the settings of the servers before they start the next time: on the
            old database none does any more. The servers' ENCRYPTION_KEY must be known here, or lie beside the SQLite file.

            Examples:
              llm-proxy db copy --from sqlite:./data/llm-proxy.db --to env:DATABASE_URL
              llm-proxy db copy --live --from sqlite:./data/llm-proxy.db --to env:DATABASE_URL

            Exit codes: 0 copied and compared; 1 the sides differ; 2 usage; 3 a database can't be reached; 4 refused: the target is not
            empty, a server runs or can't go over, or an invariant is broken.
            """)

    @Option(
        help: ArgumentHelp(
            "Copy from: postgres://…, sqlite:PATH, a SQLite file, or env:NAME for what is in the environment.",
            valueName: "URL"), completion: .file())
    var from: String

    @Option(
        help: ArgumentHelp("Copy to, named alike; what is missing there is made.", valueName: "URL"),
        completion: .file())
    var to: String?

    @Flag(help: "Copy while servers use the source, and have them go over to the target.")
    var live = false

    @Flag(help: "End a live copy that did not end, or open a database again that servers have left.")
    var abandon = false

    @Flag(help: "Remove what is in the target first.")
    var replace = false

    @Flag(help: "Tell what would be copied, and change nothing.")
    var dryRun = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    @Flag(inversion: .prefixedNo, help: "Show how it goes, on standard error; by default on terminals.")
    var progress: Bool?

    /// A URL with a password need not be typed, where others see it: `env:NAME` stands for what is in the environment.
    private static func url(_ text: String, option: String) throws -> String {
        guard text.hasPrefix("env:") else { return text }
        let name = String(text.dropFirst(4))
        guard let url = ProcessEnvironment.variables[name] else {
            throw ValidationError("\(option) names \(name), which is not in the environment.")
        }
        return url
    }

    func validate() throws {
        if abandon {
            guard to == nil, !replace, !dryRun, !live else {
                throw ValidationError("--abandon goes with --from alone.")
            }
        } else if to == nil {
            throw ValidationError("Missing expected argument '--to <URL>'")
        }
    }

    func run() async throws {
        guard !abandon else { return try await endMove() }
        let bar = ProgressBar(isShown: progress ?? (isatty(STDERR_FILENO) == 1))
        let request = DatabaseTransfer.Request(
            source: try Self.url(from, option: "--from"), target: try Self.url(to ?? "", option: "--to"),
            replaces: replace, isDryRun: dryRun, isLive: live)
        do {
            let outcome = try await DatabaseTransfer.copy(request, settings: try SettingsOptions.read()) { step in
                bar.show(
                    "\(step.phase.rawValue) \(step.table)", done: step.done, doneBefore: step.doneBefore,
                    of: step.total)
            }
            bar.end()
            StandardOutput.write(json ? document(outcome) : text(outcome))
            guard outcome.findings.allSatisfy(\.holds) else { throw ExitCode(4) }
        } catch let error as TransferError {
            bar.end()
            throw DatabaseCommand.exit(for: error)
        }
    }
}

// MARK: - What it says

extension DatabaseCopyCommand {
    private func endMove() async throws {
        do {
            let (source, move) = try await DatabaseTransfer.abandon(
                try Self.url(from, option: "--from"), settings: try SettingsOptions.read())
            StandardOutput.write(json ? stayed(source, move) : words(source, move))
        } catch let error as TransferError {
            throw DatabaseCommand.exit(for: error)
        }
    }

    private func words(_ source: String, _ move: MoveRecord?) -> String {
        guard let move else { return "nothing follows \(source)" }
        guard move.state == .moved else {
            return
                "\(source) does not move to \(move.target) any more; what was copied there is no database to serve from"
        }
        return "\(source) can be served from again: what was counted in \(move.target) since it moved is missing in it"
    }

    private func stayed(_ source: String, _ move: MoveRecord?) -> String {
        JSONValue.object([
            ("source", .string(source)), ("target", .text(move?.target)), ("state", .text(move?.state.rawValue)),
        ]).text
    }

    private func moved(_ outcome: DatabaseTransfer.Outcome, _ pause: Duration?) -> String {
        let rows = outcome.rows.reduce(0) { $0 + $1.rows }
        let milliseconds = pause.map { " in \(Int($0 / .milliseconds(1))) ms" } ?? ""
        var lines = [
            "\(outcome.source) has moved to \(outcome.target)\(milliseconds), with \(rows) rows, each the same on both sides"
        ]
        lines += outcome.rows.map { "  \($0.name): \($0.rows) rows" }
        lines += invariants(outcome)
        lines.append(
            "\(outcome.servers) \(outcome.servers == 1 ? "server goes" : "servers go") over by "
                + "\(outcome.servers == 1 ? "itself" : "themselves"); change the settings before the next start.")
        if let file = outcome.keyFile { lines.append("ENCRYPTION_KEY must then be what is in \(file).") }
        return lines.joined(separator: "\n")
    }

    private func invariants(_ outcome: DatabaseTransfer.Outcome) -> [String] {
        let broken = outcome.findings.filter { !$0.holds }
        guard !broken.isEmpty else { return ["every invariant holds in the target"] }
        return broken.map { "\($0.invariant): BROKEN, as it was before: \($0.violations) violations" } + [
            "mend them with llm-proxy db repair, and look again with llm-proxy db verify"
        ]
    }

    private func text(_ outcome: DatabaseTransfer.Outcome) -> String {
        if live, !dryRun { return moved(outcome, outcome.pause) }
        guard let copied = outcome.copied else {
            let tables = outcome.rows.map { "  \($0.name): \($0.rows)" }
            let how = outcome.wentOn ? "would go on with the copy of" : "would copy"
            return (["\(how) \(outcome.source) to \(outcome.target), in rows:"] + tables).joined(separator: "\n")
        }
        var lines = ["\(outcome.wentOn ? "went on, and copied" : "copied") \(outcome.source) to \(outcome.target)"]
        lines += copied.tables.map {
            "  \($0.name): \($0.checksum.rows) rows, the same on both sides (\($0.checksum.text))"
        }
        let rows = copied.tables.reduce(0) { $0 + $1.checksum.rows }
        lines.append("\(rows) rows: copied in \(copied.copying.shown), compared in \(copied.comparing.shown)")
        lines += invariants(outcome)
        lines.append("Start no server on the old database any more: what it counted would be missing in the new one.")
        if let file = outcome.keyFile {
            lines.append("Give the servers on the new one the ENCRYPTION_KEY that is in \(file).")
        }
        return lines.joined(separator: "\n")
    }

    private func document(_ outcome: DatabaseTransfer.Outcome) -> String {
        let copied = outcome.copied
        let checksums = Dictionary(uniqueKeysWithValues: (copied?.tables ?? []).map { ($0.name, $0.checksum) })
        let tables: [JSONValue] = outcome.rows.map { table in
            let checksum = checksums[table.name]
            return .object([
                ("name", .string(table.name)), ("rows", .integer(checksum?.rows ?? table.rows)),
                ("checksum", .text(checksum?.text)),
            ])
        }
        return JSONValue.object([
            ("source", .string(outcome.source)), ("target", .string(outcome.target)), ("dry_run", .bool(dryRun)),
            ("went_on", .bool(outcome.wentOn)), ("tables", .array(tables)),
            ("copying_seconds", copied.map { .measured($0.copying / .seconds(1)) } ?? .null),
            ("comparing_seconds", copied.map { .measured($0.comparing / .seconds(1)) } ?? .null),
            ("pause_milliseconds", outcome.pause.map { .measured($0 / .milliseconds(1)) } ?? .null),
            ("servers", outcome.pause == nil ? .null : .integer(Int64(outcome.servers))),
            ("invariants_hold", dryRun ? .null : .bool(outcome.findings.allSatisfy(\.holds))),
        ]).text
    }
}

extension Duration {
    /// In seconds, with one decimal.
    fileprivate var shown: String { "\((self / .seconds(1) * 10).rounded() / 10) s" }
}
