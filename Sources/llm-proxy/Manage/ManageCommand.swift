import ArgumentParser

/// `llm-proxy manage`: the management API of a running server.
struct ManageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manage",
        abstract:
            "Look after a running server: projects, tokens, requests and what they used, cached answers, access.",
        discussion: """
            The server is at --url or LLM_PROXY_URL, otherwise at http://localhost:8080. The management token comes from
            --management-token or --management-token-file, from MANAGEMENT_TOKEN, or from ./data/management-token, where
            a server puts the one it makes.

            Example:
              llm-proxy manage project create --name docs --api-key-file key.txt
              llm-proxy manage token create --project-id ID --duration-minutes 1440
              llm-proxy manage token list --json
              llm-proxy manage usage --group-by project

            Exit codes: 0 ok, 1 failed, 2 usage, 3 can't reach, 4 refused.
            """,
        subcommands: [
            ManageProjectCommand.self, ManageTokenCommand.self, ManageCacheCommand.self, ManageRequestCommand.self,
            ManageUsageCommand.self, ManageUpstreamCommand.self, ManageAuditCommand.self, ManageAccessCommand.self,
            ManageWhoamiCommand.self, ManageDatabaseCommand.self,
        ])
}
