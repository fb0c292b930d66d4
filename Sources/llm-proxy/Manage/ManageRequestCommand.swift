import ArgumentParser

/// `llm-proxy manage request`.
struct ManageRequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "Look up requests that clients sent.",
        discussion: "Example:\n  llm-proxy manage request list --status 5xx --order desc --limit 20",
        subcommands: [List.self, Get.self])

    private static let path = "/manage/requests"

    struct List: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "List requests in the order of their arrival: those of which all holds that is said.",
            discussion: """
                Example:
                  llm-proxy manage request list --token-id 019ab000-0000-7000-8000-000000000000 --order desc --limit 20
                  llm-proxy manage request list --status 5xx --since 2030-01-31T00:00:00Z
                """)

        @OptionGroup var filter: RequestFilterOptions
        @OptionGroup var direction: OrderOptions
        @OptionGroup var page: PageOptions
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            let query: [(String, String?)] = filter.query + [("order", direction.order)]
            try await session.list(ManageRequestCommand.path, query: query, limit: page.limit, as: .requests)
        }
    }

    struct Get: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a request, by the id that its answer had in X-Proxy-Request-ID.",
            discussion: "Example:\n  llm-proxy manage request get 019ab000-0000-7000-8000-000000000000")

        @OptionGroup var request: IdentifierArgument
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.show(ManagementCall(.get, "\(ManageRequestCommand.path)/\(request.id)"))
        }
    }
}
