import ArgumentParser
import ProxyServer
import ProxySettings
import ProxyStorage

/// `llm-proxy db`: looks after the database.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "Look after the database.",
        discussion: "Example:\n  llm-proxy db verify --database-path ./data/llm-proxy.db",
        subcommands: [
            DatabaseStatusCommand.self, DatabaseMigrateCommand.self, Verify.self, Repair.self,
            DatabaseCopyCommand.self, DatabaseBackupCommand.self, DatabaseRestoreCommand.self,
            DatabaseRotateKeyCommand.self, DatabaseEncryptCommand.self,
        ])

    /// Does something with the database that the settings name. Exits as the error says: with 3 when it can't be reached.
    static func reach<Value>(
        _ options: SettingsOptions, _ body: (ServerSettings) async throws -> Value
    ) async throws -> Value {
        let settings = try options.read()
        do {
            return try await body(settings)
        } catch let error as ExitCode {
            throw error
        } catch {
            throw exit(for: error)
        }
    }

    /// Tells what went wrong, and gives how to exit, as API.md has it: 1 failed, 2 usage, 3 can't reach, 4 refused.
    static func exit(for error: any Error) -> ExitCode {
        StandardError.write("llm-proxy: \(error)")
        if error is KeyRotationError { return ExitCode(4) }
        return switch error as? TransferError {
        case .failed: ExitCode(1)
        case .usage: ExitCode(2)
        case .unreachable, nil: ExitCode(3)
        case .refused, .inUse: ExitCode(4)
        }
    }

    /// `llm-proxy db verify`: checks every invariant; exits with 4 when one is broken.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every invariant against all rows. Safe while a server runs.",
            discussion: """
                Example:
                  llm-proxy db verify --json

                Exit codes: 0 every invariant holds, 3 the database can't be read, 4 an invariant is broken.
                """)

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "One JSON document instead of text.")
        var json = false

        func run() async throws {
            let findings = try await DatabaseCommand.reach(settings) { try await DatabaseInspection.verify($0) }
            json ? writeJSON(findings) : writeText(findings)
            guard findings.allSatisfy(\.holds) else { throw ExitCode(4) }
        }

        private func writeText(_ findings: [InvariantFinding]) {
            for finding in findings {
                let verdict = finding.holds ? "holds" : "BROKEN: \(finding.violations) violations"
                StandardOutput.write("\(finding.invariant): \(verdict) (\(finding.checked) checked)")
                for example in finding.examples { StandardOutput.write("  \(example)") }
            }
        }

        private func writeJSON(_ findings: [InvariantFinding]) {
            // Names and identifiers are ours: none of them holds anything to escape.
            let entries = findings.map { finding in
                let examples = finding.examples.map { "\"\($0)\"" }.joined(separator: ",")
                return #"{"invariant":"\#(finding.invariant)","checked":\#(finding.checked),"#
                    + #""violations":\#(finding.violations),"holds":\#(finding.holds),"examples":[\#(examples)]}"#
            }
            StandardOutput.write("{\"invariants\":[\(entries.joined(separator: ","))]}")
        }
    }

    /// `llm-proxy db repair`: sets counters right that differ from their rows.
    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set counters right that differ from their rows. Safe while a server runs.",
            discussion: """
                Rows are what happened: a token's counters, and what budgets have set aside, are made to say what they do.
                The audit tells of it as database.repair.

                Example:
                  llm-proxy db repair --dry-run

                Exit codes: 0 done, or nothing to do; 3 the database can't be reached.
                """)

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Tell what would be set right, and change nothing.")
        var dryRun = false

        @Flag(help: "One JSON document instead of text.")
        var json = false

        func run() async throws {
            let repairs = try await DatabaseCommand.reach(settings) {
                try await DatabaseInspection.repair($0, isDryRun: dryRun)
            }
            json ? writeJSON(repairs) : writeText(repairs)
        }

        private func writeText(_ repairs: [CounterRepair]) {
            for repair in repairs {
                StandardOutput.write(
                    "\(repair.owner) \(repair.id): \(repair.counter) \(repair.found) -> \(repair.counted)")
            }
            StandardOutput.write("\(repairs.count) counters \(dryRun ? "would be" : "were") set right")
        }

        private func writeJSON(_ repairs: [CounterRepair]) {
            let entries = repairs.map { repair in
                #"{"owner":"\#(repair.owner)","id":"\#(repair.id)","counter":"\#(repair.counter)","#
                    + #""found":\#(repair.found),"counted":\#(repair.counted)}"#
            }
            StandardOutput.write("{\"dry_run\":\(dryRun),\"repairs\":[\(entries.joined(separator: ","))]}")
        }
    }
}
