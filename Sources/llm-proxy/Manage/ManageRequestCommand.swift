import ArgumentParser

/// `llm-proxy manage request`.
struct ManageRequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "Look up requests that were sent with a token.",
        discussion: "Example:\n  llm-proxy manage request list --token-id 019ab000-0000-7000-8000-000000000000",
        subcommands: [List.self, Get.self])

    private static let path = "/manage/requests"

    struct List: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "List a token's requests in the order of their arrival.",
            discussion: """
                Example:
                  llm-proxy manage request list --token-id 019ab000-0000-7000-8000-000000000000 --limit 20
                """)

        @Option(help: ArgumentHelp("Whose requests.", valueName: "id"))
        var tokenID: String

        @OptionGroup var page: PageOptions
        @OptionGroup var api: ManagementOptions

        func validate() throws { try IdentifierArgument.check(tokenID, "--token-id") }

        func perform(_ session: ManagementSession) async throws {
            try await session.list(
                ManageRequestCommand.path, query: [("token_id", tokenID)], limit: page.limit, as: .requests)
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
