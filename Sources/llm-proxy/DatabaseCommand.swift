import ArgumentParser
import ProxyServer
import ProxyStorage

/// `llm-proxy db`: looks after the database.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "Look after the database.",
        discussion: "Example:\n  llm-proxy db verify --database-path ./data/llm-proxy.db",
        subcommands: [Verify.self])

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
            let settings = try settings.read()
            let findings: [InvariantFinding]
            do {
                findings = try await DatabaseInspection.verify(settings)
            } catch {
                StandardError.write("llm-proxy: \(error)")
                throw ExitCode(3)
            }
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
}
