import ArgumentParser
import ProxyManagement

/// `llm-proxy manage audit`.
struct ManageAuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Look up who changed what, and which credentials were refused.",
        discussion: "Example:\n  llm-proxy manage audit list --action token.create --page-size 50",
        subcommands: [List.self, Get.self])

    private static let path = "/manage/audit"

    struct List: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "List events, the latest first: those of which all holds that is said.",
            discussion: """
                Example:
                  llm-proxy manage audit list --outcome refused --start-time 2030-01-31T00:00:00Z
                  llm-proxy manage audit list --project-id 019ab000-0000-7000-8000-000000000000 --search 'laptop alice'
                """)

        @OptionGroup var filter: AuditFilterOptions

        @Option(help: ArgumentHelp("Which page of them, from 1.", valueName: "number"))
        var page = 1

        @Option(help: ArgumentHelp("Events on a page, 100 at most.", valueName: "count"))
        var pageSize = 20

        @OptionGroup var api: ManagementOptions

        func validate() throws {
            guard (1...10_000).contains(page) else { throw ValidationError("--page must be 1…10000.") }
            guard (1...100).contains(pageSize) else { throw ValidationError("--page-size must be 1…100.") }
        }

        func perform(_ session: ManagementSession) async throws {
            let query: [(String, String?)] = filter.query + [("page", "\(page)"), ("page_size", "\(pageSize)")]
            let answer = try await session.answer(to: ManagementCall(.get, ManageAuditCommand.path, query: query))
            guard let answer, case .array(let events) = answer["events"] else {
                throw ManageError.failed("\(session.client.address.authority) answered without events")
            }
            guard !session.printsJSON else { return StandardOutput.write(answer.text) }
            let pages = answer["pagination"]
            let closing = "page \(page) of \(pages["total_pages"].cell), \(pages["total_count"].cell) events in all"
            let lines = Table.events.lines(events, on: .output) + [closing]
            StandardOutput.write(lines.joined(separator: "\n"))
        }
    }

    struct Get: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an event.",
            discussion: "Example:\n  llm-proxy manage audit get 019ab000-0000-7000-8000-000000000000")

        @OptionGroup var event: IdentifierArgument
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.show(ManagementCall(.get, "\(ManageAuditCommand.path)/\(event.id)"))
        }
    }
}
