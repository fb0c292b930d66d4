import ArgumentParser
import ProxyServer

/// `llm-proxy import`: takes over what another program kept.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take over what another proxy has: its projects, tokens, counts, providers.",
        discussion: """
            Example:
              llm-proxy import go-proxy --from sqlite:./old/llm-proxy.db --dry-run
            """,
        subcommands: [ImportGoProxyCommand.self, ImportLiteLLMCommand.self])

    /// Does something, and exits as an error of it says: 1 failed, 2 usage, 3 can't reach, 4 refused.
    static func reach<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as TransferError {
            throw DatabaseCommand.exit(for: error)
        } catch let error as ManageError {
            StandardError.write("llm-proxy: \(error)")
            throw ExitCode(error.exitCode)
        }
    }
}
