import ArgumentParser
import ProxyManagement

/// `llm-proxy manage usage`.
struct ManageUsageCommand: ManagementCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "Tell what requests used: how many there were, their errors, tokens, cost and latency.",
        discussion: """
            Times are whole hours. Tokens are those of prompts and those of completions. Where there are more than 100
            groups, those with the most requests are told.

            Example:
              llm-proxy manage usage --group-by project --since 2030-01-01T00:00:00Z --until 2030-02-01T00:00:00Z
              llm-proxy manage usage --group-by model --interval day --csv > usage.csv
            """)

    @OptionGroup var options: UsageOptions

    @Flag(help: "Print a line of CSV for each start and group, below the names of the columns.")
    var csv = false

    @OptionGroup var api: ManagementOptions

    func validate() throws {
        guard !csv || !api.call.json else { throw ValidationError("--csv and --json exclude each other.") }
    }

    func perform(_ session: ManagementSession) async throws {
        let report = try await session.answer(to: ManagementCall(.get, "/manage/usage", query: options.query))
        guard let report, case .members = report["totals"] else {
            throw ManageError.failed("\(session.client.address.authority) answered without figures")
        }
        guard !session.printsJSON else { return StandardOutput.write(report.text) }
        let text = UsageText(report: report)
        let lines = csv ? text.commaSeparated : text.lines(on: .output)
        StandardOutput.write(lines.joined(separator: "\n"))
    }
}
