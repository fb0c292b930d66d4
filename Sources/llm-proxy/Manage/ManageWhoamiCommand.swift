import ArgumentParser

/// `llm-proxy manage whoami`.
struct ManageWhoamiCommand: ManagementCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Tell whose the management token is that is used, and its role.",
        discussion: "Example:\n  llm-proxy manage whoami --management-token-file token.txt")

    @OptionGroup var api: ManagementOptions

    func perform(_ session: ManagementSession) async throws {
        try await session.show(ManagementCall(.get, "/manage/whoami"))
    }
}
