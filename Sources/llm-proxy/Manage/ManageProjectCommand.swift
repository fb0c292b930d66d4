import ArgumentParser
import ProxyManagement
import ProxyStorage

/// `llm-proxy manage project`.
struct ManageProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project",
        abstract: "Look after projects: accounts at a provider, whose keys stay with the server.",
        discussion: """
            Example:
              llm-proxy manage project create --name docs --api-key-file key.txt
              llm-proxy manage project list
            """,
        subcommands: [List.self, Get.self, Create.self, Update.self, Activate.self, Deactivate.self])

    private static let path = "/manage/projects"

    private static func target(of project: IdentifierArgument) -> String { "\(path)/\(project.id)" }

    struct List: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "List projects: all, or those of which all holds that is said.",
            discussion: """
                Example:
                  llm-proxy manage project list --json
                  llm-proxy manage project list --search docs --active --sort name
                """)

        @Option(help: ArgumentHelp("Only those with this text in their name, in any case.", valueName: "text"))
        var search: String?

        @Flag(inversion: .prefixedNo, help: "Only those that are active, or only the others.")
        var active: Bool?

        @Option(
            help: ArgumentHelp("By what they are sorted: created_at, as otherwise, or name.", valueName: "what"),
            completion: .words(of: ProjectListing.Order.self))
        var sort: String?

        @OptionGroup var direction: OrderOptions
        @OptionGroup var page: PageOptions
        @OptionGroup var api: ManagementOptions

        func validate() throws { try ArgumentCheck.choice(sort, "--sort", of: ProjectListing.Order.self) }

        func perform(_ session: ManagementSession) async throws {
            let query: [(String, String?)] = [
                ("search", search), ("active", active.map { "\($0)" }), ("sort", sort), ("order", direction.order),
            ]
            try await session.list(ManageProjectCommand.path, query: query, limit: page.limit, as: .projects)
        }
    }

    struct Get: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a project.",
            discussion: "Example:\n  llm-proxy manage project get 019ab000-0000-7000-8000-000000000000")

        @OptionGroup var project: IdentifierArgument
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.show(ManagementCall(.get, ManageProjectCommand.target(of: project)))
        }
    }

    struct Create: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a project.",
            discussion: """
                Example:
                  llm-proxy manage project create --name docs --api-key-file key.txt
                  llm-proxy manage project create --name docs --api-key - --budget-usd 50 --budget-period month
                """)

        @Option(help: "Its name, which no other project has.")
        var name: String

        @OptionGroup var key: KeyOptions
        @OptionGroup var options: ProjectOptions
        @OptionGroup var api: ManagementOptions

        func validate() throws {
            guard key.isGiven else {
                throw ValidationError("A project needs the provider's key: --api-key or --api-key-file.")
            }
        }

        func perform(_ session: ManagementSession) async throws {
            let (apiKey, limits) = (try key.read(), options.budget.changes)
            let own: [(String, JSONValue?)] = [
                ("name", .string(name)), ("api_key", apiKey), ("limits", limits.isEmpty ? nil : .object(limits)),
            ]
            let body = JSONValue.given(own + options.members)
            try await session.show(ManagementCall(.post, ManageProjectCommand.path, body: body))
        }
    }

    struct Update: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a project: what is named, and nothing else.",
            discussion: """
                It is in force with the next request of any of its tokens, on every server.

                Example:
                  llm-proxy manage project update 019ab000-0000-7000-8000-000000000000 --api-key-file new-key.txt
                """)

        @OptionGroup var project: IdentifierArgument

        @Option(help: "Another name.")
        var name: String?

        @OptionGroup var key: KeyOptions
        @OptionGroup var options: ProjectOptions
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            let target = ManageProjectCommand.target(of: project)
            let apiKey = try key.read()
            let (limits, tag) = try await session.limits(at: target, changedBy: options.budget.changes)
            let own = [("name", name.map(JSONValue.string)), ("api_key", apiKey), ("limits", limits)]
            try await session.change(target, own + options.members, from: tag)
        }
    }

    struct Activate: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve a project's tokens again.",
            discussion: "Example:\n  llm-proxy manage project activate 019ab000-0000-7000-8000-000000000000")

        @OptionGroup var project: IdentifierArgument
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.change(ManageProjectCommand.target(of: project), [("is_active", .bool(true))])
        }
    }

    struct Deactivate: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse all requests of a project's tokens, from now on, until it is activated again.",
            discussion: """
                Example:
                  llm-proxy manage project deactivate 019ab000-0000-7000-8000-000000000000 --revoke-tokens
                """)

        @OptionGroup var project: IdentifierArgument

        @Flag(help: "Revoke all its tokens too: they stay refused when it is activated again.")
        var revokeTokens = false

        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.change(
                ManageProjectCommand.target(of: project),
                [("is_active", .bool(false)), ("revoke_tokens", revokeTokens ? .bool(true) : nil)])
        }
    }
}
