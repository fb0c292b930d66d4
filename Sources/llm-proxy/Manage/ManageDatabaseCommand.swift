import ArgumentParser
import ProxyManagement

/// `llm-proxy manage database`.
struct ManageDatabaseCommand: ManagementCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "Tell how the server's database is, or check what it promises.",
        discussion: """
            --verify looks at every row, as llm-proxy db verify does, and is an operator's. Where there are many rows,
            give it time with --timeout.

            Example:
              llm-proxy manage database
              llm-proxy manage database --verify --timeout 600

            Exit codes: as for every command of manage; with --verify also 4 when an invariant is broken.
            """)

    @Flag(help: "Check every invariant against all rows, while the server runs.")
    var verify = false

    @OptionGroup var api: ManagementOptions

    func perform(_ session: ManagementSession) async throws {
        if verify { return try await check(session) }
        let facts = try await document(in: session, of: ManagementCall(.get, "/manage/database"), with: "driver")
        write(facts, as: facts.databaseFacts.lines, session)
    }

    private func check(_ session: ManagementSession) async throws {
        let call = ManagementCall(.post, "/manage/database/verify")
        let verdict = try await document(in: session, of: call, with: "findings")
        write(verdict, as: verdict["findings"].items.flatMap(\.findingLines), session)
        guard verdict["holds"] == .bool(true) else { throw ExitCode(4) }
    }

    /// What a call is answered with, when it has a member of that name.
    private func document(
        in session: ManagementSession, of call: ManagementCall, with member: String
    ) async throws(ManageError) -> JSONValue {
        guard let answer = try await session.answer(to: call), answer[member] != .null else {
            throw .failed("\(session.client.address.authority) answered without \(member)")
        }
        return answer
    }

    private func write(_ document: JSONValue, as lines: [String], _ session: ManagementSession) {
        StandardOutput.write(session.printsJSON ? document.text : lines.joined(separator: "\n"))
    }
}
