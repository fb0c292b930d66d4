import ArgumentParser
import ProxyDomain
import ProxyManagement

/// `llm-proxy manage access`.
struct ManageAccessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access",
        abstract: "Look after management tokens: who may call the management API, and what each may do there.",
        discussion: """
            A viewer looks at everything but the audit and these tokens; an operator reads the audit too, issues and
            revokes clients' tokens, and empties the cache; an admin may do everything. The server's own
            MANAGEMENT_TOKEN is an admin's and is not listed.

            Example:
              llm-proxy manage access create --name alice --role operator
              llm-proxy manage access list
            """,
        subcommands: [List.self, Create.self, Revoke.self])

    private static let path = "/manage/management-tokens"

    struct List: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "List management tokens in the order of their creation.",
            discussion: "Example:\n  llm-proxy manage access list --json")

        @OptionGroup var page: PageOptions
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            try await session.list(ManageAccessCommand.path, limit: page.limit, as: .managementTokens)
        }
    }

    struct Create: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue a management token, and show it this once.",
            discussion: """
                Example:
                  llm-proxy manage access create --name alice --role operator
                  llm-proxy manage access create --name dashboard --role viewer --expires-at 2030-01-31T09:30:00Z
                """)

        @Option(help: "Whose it is: what the audit calls who acts with it. No other one that is in force has it.")
        var name: String

        @Option(
            help: "What it may be used for: viewer, operator or admin.", completion: .words(of: ManagementRole.self))
        var role: String

        @Option(
            help: ArgumentHelp(
                "When it ends: an instant like 2030-01-31T09:30:00Z; otherwise never.", valueName: "instant"))
        var expiresAt: String?

        @OptionGroup var api: ManagementOptions

        func validate() throws {
            try ArgumentCheck.choice(role, "--role", of: ManagementRole.self)
            try ArgumentCheck.instant(expiresAt, "--expires-at")
        }

        func perform(_ session: ManagementSession) async throws {
            let body = JSONValue.given([
                ("name", .string(name)), ("role", .string(role)), ("expires_at", expiresAt.map(JSONValue.string)),
            ])
            try await session.show(
                ManagementCall(.post, ManageAccessCommand.path, body: body),
                closing: "This is the only time that the token is shown: keep it where its owner finds it.")
        }
    }

    struct Revoke: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a management token, on all servers at once.",
            discussion: """
                Example:
                  llm-proxy manage access revoke 019ab000-0000-7000-8000-000000000000

                The API answers nothing then, so that --json prints nothing.
                """)

        @OptionGroup var token: IdentifierArgument
        @OptionGroup var api: ManagementOptions

        func perform(_ session: ManagementSession) async throws {
            let call = ManagementCall(.delete, "\(ManageAccessCommand.path)/\(token.id)")
            try await session.show(call, closing: "Management token \(token.id) is revoked.")
        }
    }
}
