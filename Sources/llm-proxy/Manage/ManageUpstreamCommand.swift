import ArgumentParser
import ProxyManagement

/// `llm-proxy manage upstream`.
struct ManageUpstreamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstream",
        abstract: "Look after further ways of projects to a provider: other keys, and other providers.",
        discussion: """
            Requests take the ways with the lowest priority first, by their weight; when an attempt fails of which the
            client has seen nothing, the next way is taken.

            Example:
              llm-proxy manage upstream create --project-id 019ab000-0000-7000-8000-000000000000 --api-key-file key.txt
              llm-proxy manage upstream list
            """,
        subcommands: [List.self, Get.self, Create.self, Update.self, Remove.self])

    private static let path = "/manage/upstreams"

    private static func target(of upstream: IdentifierArgument) -> String { "\(path)/\(upstream.id)" }

    struct List: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "List further ways in the order of their creation.",
            discussion: """
                Example:
                  llm-proxy manage upstream list --project-id 019ab000-0000-7000-8000-000000000000
                """)

        @Option(help: ArgumentHelp("Only those of this project.", valueName: "id"))
        var projectID: String?

        @OptionGroup var page: PageOptions
        @OptionGroup var api: ManagementOptions

        func validate() throws { try IdentifierArgument.check(projectID, "--project-id") }

        func perform(_ session: ManagementSession) async throws {
            try await session.list(
                ManageUpstreamCommand.path, query: [("project_id", projectID)], limit: page.limit, as: .upstreams)
        }
    }

    struct Get: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a way, its key masked.",
            discussion: "Example:\n  llm-proxy manage upstream get 019ab000-0000-7000-8000-000000000000")

        @OptionGroup var upstream: IdentifierArgument
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.show(ManagementCall(.get, ManageUpstreamCommand.target(of: upstream)))
        }
    }

    struct Create: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a way for a project's requests.",
            discussion: """
                Example:
                  llm-proxy manage upstream create --project-id 019ab000-0000-7000-8000-000000000000 \
                --api-key-file key.txt --priority 1
                """)

        @Option(help: ArgumentHelp("The project whose requests may go this way.", valueName: "id"))
        var projectID: String

        @OptionGroup var key: KeyOptions
        @OptionGroup var options: UpstreamOptions
        @OptionGroup var api: ManagementOptions

        func validate() throws {
            try IdentifierArgument.check(projectID, "--project-id")
            guard key.isGiven else {
                throw ValidationError("A way needs a provider's key: --api-key or --api-key-file.")
            }
        }

        func perform(_ session: ManagementSession) async throws {
            let own: [(String, JSONValue?)] = [("project_id", .string(projectID)), ("api_key", try key.read())]
            let body = JSONValue.given(own + options.members)
            try await session.show(ManagementCall(.post, ManageUpstreamCommand.path, body: body))
        }
    }

    struct Update: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a way: what is named, and nothing else.",
            discussion: """
                It is in force with the next request, on every server.

                Example:
                  llm-proxy manage upstream update 019ab000-0000-7000-8000-000000000000 --no-active
                """)

        @OptionGroup var upstream: IdentifierArgument
        @OptionGroup var key: KeyOptions
        @OptionGroup var options: UpstreamOptions

        @Flag(inversion: .prefixedNo, help: "Send requests this way again, or no more.")
        var active: Bool?

        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            let own: [(String, JSONValue?)] = [
                ("api_key", try key.read()), ("is_active", active.map(JSONValue.bool)),
            ]
            try await session.change(ManageUpstreamCommand.target(of: upstream), own + options.members)
        }
    }

    struct Remove: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a way, with its key.",
            discussion: "Example:\n  llm-proxy manage upstream remove 019ab000-0000-7000-8000-000000000000")

        @OptionGroup var upstream: IdentifierArgument
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.show(
                ManagementCall(.delete, ManageUpstreamCommand.target(of: upstream)), closing: "The way is removed.")
        }
    }
}
