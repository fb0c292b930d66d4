import ArgumentParser
import ProxyServer

/// The command: every subcommand is a file of its own.
@main
struct LLMProxy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "llm-proxy",
        abstract:
            "A proxy between applications and OpenAI-style APIs: tokens outside, keys inside, everything counted.",
        discussion: """
            Example:
              llm-proxy server --upstream simulator

            Exit codes: 0 ok, 1 failed, 2 usage, 3 can't reach, 4 refused.
            """,
        version: productVersion,
        subcommands: [
            ServerCommand.self, SimulateCommand.self, LoadCommand.self, DatabaseCommand.self, ManageCommand.self,
            DoctorCommand.self, SetupCommand.self, OpenAICommand.self, ImportCommand.self,
            ConformanceCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            finish(with: error)
        }
    }

    /// Usage faults exit with 2, as API.md has it; ArgumentParser's own code for them is 64.
    private static func finish(with error: any Error) -> Never {
        let code = exitCode(for: error)
        if code == .validationFailure {
            StandardError.write(fullMessage(for: error))
            exit(withError: ExitCode(2))
        }
        exit(withError: error)
    }
}
