import ArgumentParser
import ProxyManagement
import ProxyStorage

/// `llm-proxy manage token`.
struct ManageTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Look after tokens: what clients hold instead of a provider's key.",
        discussion: """
            Example:
              llm-proxy manage token create --project-id 019ab000-0000-7000-8000-000000000000 --duration-minutes 1440
              llm-proxy manage token list --active
            """,
        subcommands: [Create.self, List.self, Get.self, Update.self, Revoke.self])

    private static let path = "/manage/tokens"

    struct Create: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue a token, and show it this once.",
            discussion: """
                Exactly one of --duration-minutes, --expires-at and --never-expires says when it ends.

                Example:
                  llm-proxy manage token create --project-id 019ab000-0000-7000-8000-000000000000 \
                --duration-minutes 1440 --name laptop --max-requests 1000 --allowed-model 'gpt-4o*'
                """,
            aliases: ["generate"])

        @Option(help: ArgumentHelp("The project that it is for.", valueName: "id"))
        var projectID: String

        @Option(help: ArgumentHelp("When it ends: so many minutes from now, 525600 at most.", valueName: "minutes"))
        var durationMinutes: Int64?

        @OptionGroup var options: TokenOptions
        @OptionGroup var api: ManagementOptions

        func validate() throws {
            try IdentifierArgument.check(projectID, "--project-id")
            let ends = [durationMinutes != nil, options.expiresAt != nil, options.neverExpires].filter { $0 }
            guard ends.count == 1 else {
                throw ValidationError(
                    "Say when the token ends, in one way: --duration-minutes, --expires-at or --never-expires.")
            }
        }

        func perform(_ session: ManagementSession) async throws {
            let limits = options.limitChanges
            let own: [(String, JSONValue?)] = [
                ("project_id", .string(projectID)),
                ("duration_minutes", durationMinutes.map { JSONValue.integer($0) }),
                ("limits", limits.isEmpty ? nil : .object(limits)),
            ]
            let body = JSONValue.given(own + options.members)
            try await session.show(
                ManagementCall(.post, ManageTokenCommand.path, body: body),
                closing: "This is the only time that the token is shown: keep it where its client finds it.")
        }
    }

    struct List: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "List tokens: all, or those of which all holds that is said.",
            discussion: """
                Example:
                  llm-proxy manage token list --project-id 019ab000-0000-7000-8000-000000000000 --active
                  llm-proxy manage token list --search laptop --sort cost --order desc --limit 10
                """)

        @Option(help: ArgumentHelp("Only tokens of this project.", valueName: "id"))
        var projectID: String?

        @Flag(inversion: .prefixedNo, help: "Only those that are neither revoked nor expired, or only the others.")
        var active: Bool?

        @Option(
            help: ArgumentHelp(
                "Only those with this text in their name, or in what is shown of their secret, in any case.",
                valueName: "text"))
        var search: String?

        @Option(
            help: ArgumentHelp(
                "By what they are sorted: created_at, as otherwise, name, request_count, cost or last_used_at.",
                valueName: "what"), completion: .words(of: TokenListing.Order.self))
        var sort: String?

        @OptionGroup var direction: OrderOptions
        @OptionGroup var page: PageOptions
        @OptionGroup var api: ManagementOptions

        func validate() throws {
            try IdentifierArgument.check(projectID, "--project-id")
            try ArgumentCheck.choice(sort, "--sort", of: TokenListing.Order.self)
        }

        func perform(_ session: ManagementSession) async throws {
            let query: [(String, String?)] = [
                ("project_id", projectID), ("active", active.map { "\($0)" }), ("search", search), ("sort", sort),
                ("order", direction.order),
            ]
            try await session.list(ManageTokenCommand.path, query: query, limit: page.limit, as: .tokens)
        }
    }

    struct Get: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a token, but for its secret.",
            discussion: "Example:\n  llm-proxy manage token get 019ab000-0000-7000-8000-000000000000")

        @OptionGroup var token: IdentifierArgument
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.show(ManagementCall(.get, "\(ManageTokenCommand.path)/\(token.id)"))
        }
    }

    struct Update: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a token: what is named, and nothing else.",
            discussion: """
                It is in force with the token's next request, on every server. What was counted stays as it is.

                Example:
                  llm-proxy manage token update 019ab000-0000-7000-8000-000000000000 --max-requests 5000
                  llm-proxy manage token update 019ab000-0000-7000-8000-000000000000 --budget-usd none
                """)

        @OptionGroup var token: IdentifierArgument

        @Flag(inversion: .prefixedNo, help: "Take its revocation back, or revoke it.")
        var active: Bool?

        @OptionGroup var options: TokenOptions
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            let target = "\(ManageTokenCommand.path)/\(token.id)"
            let (limits, tag) = try await session.limits(at: target, changedBy: options.limitChanges)
            let own = [("is_active", active.map(JSONValue.bool)), ("limits", limits)]
            try await session.change(target, own + options.members, from: tag)
        }
    }

    struct Revoke: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a token, or all of a project.",
            discussion: """
                Example:
                  llm-proxy manage token revoke 019ab000-0000-7000-8000-000000000000
                  llm-proxy manage token revoke --project-id 019ab000-0000-7000-8000-000000000000

                The API answers nothing when one token is revoked, so that --json prints nothing then.
                """)

        @Argument(help: "The token's id, 36 characters.")
        var id: String?

        @Option(help: ArgumentHelp("All tokens of this project, instead of one.", valueName: "id"))
        var projectID: String?

        @OptionGroup var api: ManagementOptions

        func validate() throws {
            guard (id == nil) != (projectID == nil) else {
                throw ValidationError("Name a token, or with --project-id a project: one of them.")
            }
            try IdentifierArgument.check(id, "The id")
            try IdentifierArgument.check(projectID, "--project-id")
        }

        func perform(_ session: ManagementSession) async throws {
            if let projectID {
                try await session.show(ManagementCall(.post, "/manage/projects/\(projectID)/tokens/revoke"))
            } else if let id {
                let call = ManagementCall(.delete, "\(ManageTokenCommand.path)/\(id)")
                try await session.show(call, closing: "Token \(id) is revoked.")
            }
        }
    }
}
