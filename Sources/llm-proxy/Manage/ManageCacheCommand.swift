import ArgumentParser
import ProxyManagement

/// `llm-proxy manage cache`.
struct ManageCacheCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Look after answers that are given again.",
        discussion: "Example:\n  llm-proxy manage cache purge --url /v1/models",
        subcommands: [Purge.self])

    /// Here `--url` names what is forgotten, as in other systems of this kind.
    struct PurgeAccess: ManagementAccess {
        @Option(
            name: .customLong("manage-api-base-url"),
            help: ArgumentHelp(
                "The server: http(s)://host[:port]; otherwise http://localhost:8080. (LLM_PROXY_URL)",
                valueName: "url"))
        var url: String?

        @OptionGroup var call: CallOptions
    }

    struct Purge: ManagementCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget answers, on all servers.",
            discussion: """
                What is said must all apply to an answer for it to be forgotten. Here the server's address is
                --manage-api-base-url.

                Example:
                  llm-proxy manage cache purge --url /v1/models --prefix
                  llm-proxy manage cache purge --project-id 019ab000-0000-7000-8000-000000000000
                  llm-proxy manage cache purge --all
                """)

        @Option(name: .customLong("url"), help: ArgumentHelp("Path and query that were asked for.", valueName: "url"))
        var askedURL: String?

        @Option(help: "GET, HEAD or POST; otherwise every method.", completion: .list(["GET", "HEAD", "POST"]))
        var method: String?

        @Flag(help: "All that begins with --url.")
        var prefix = false

        @Option(help: ArgumentHelp("What answered requests of this project.", valueName: "id"))
        var projectID: String?

        @Flag(help: "Everything.")
        var all = false

        @OptionGroup var api: PurgeAccess

        func validate() throws {
            try IdentifierArgument.check(projectID, "--project-id")
            guard all != (askedURL != nil || projectID != nil) else {
                throw ValidationError("Say what to forget: --url or --project-id, or both, or --all alone.")
            }
            guard askedURL != nil || (method == nil && !prefix) else {
                throw ValidationError("--method and --prefix go with --url.")
            }
        }

        func perform(_ session: ManagementSession) async throws {
            let body = JSONValue.given([
                ("all", all ? JSONValue.bool(true) : nil), ("project_id", projectID.map(JSONValue.string)),
                ("method", method.map(JSONValue.string)), ("url", askedURL.map(JSONValue.string)),
                ("prefix", prefix ? JSONValue.bool(true) : nil),
            ])
            try await session.show(ManagementCall(.post, "/manage/cache/purge", body: body))
        }
    }
}
