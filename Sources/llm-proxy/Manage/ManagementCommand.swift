import ArgumentParser

/// A subcommand that calls the management API.
protocol ManagementCommand: AsyncParsableCommand {
    associatedtype Access: ManagementAccess

    var api: Access { get }

    /// Makes the calls and prints what they are answered with.
    func perform(_ session: ManagementSession) async throws
}

extension ManagementCommand {
    /// What fails is one line on standard error, and an exit code.
    func run() async throws {
        do {
            try await perform(try api.session())
        } catch let error as ManageError {
            StandardError.write("llm-proxy manage: \(error)")
            throw ExitCode(error.exitCode)
        }
    }
}
