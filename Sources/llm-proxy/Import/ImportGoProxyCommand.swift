import ArgumentParser
import Glibc
import ProxyServer
import ProxySettings

/// `llm-proxy import go-proxy`: takes over projects and tokens of the Go proxy.
struct ImportGoProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "go-proxy",
        abstract: "Take over projects and tokens, with their counts, from the Go proxy (sofatutor/llm-proxy).",
        discussion: """
            Its database is only read; stop it first, or what it counts from then on is missing. Everything is written in one step, or
            nothing is. Servers may run meanwhile. Run again, it leaves alone what is there already.
            The audit tells of it as import.go_proxy.

            Upstream keys are sealed anew, under this program's ENCRYPTION_KEY. If the Go proxy had one too, give it in a file, or as
            SOURCE_ENCRYPTION_KEY in the environment. Requests that tokens have counted stand as used on the day of their last use.

            Example:
              llm-proxy import go-proxy --from sqlite:./old/llm-proxy.db --dry-run
              llm-proxy import go-proxy --from env:OLD_DATABASE_URL --source-encryption-key-file ./old/encryption-key

            Exit codes: 0 imported, or nothing to do; 1 failed; 2 usage; 3 a database can't be reached; 4 refused: names clash, a key is
            missing, or it is no database of the Go proxy.
            """)

    @Option(
        help: ArgumentHelp(
            "Import from: postgres://…, sqlite:PATH, a SQLite file, or env:NAME for what is in the environment.",
            valueName: "URL"), completion: .file())
    var from: String

    @Option(
        help: ArgumentHelp(
            "A file with the Go proxy's ENCRYPTION_KEY, if it had one. (SOURCE_ENCRYPTION_KEY)", valueName: "FILE"),
        completion: .file())
    var sourceEncryptionKeyFile: String?

    @Option(help: ArgumentHelp("The provider of the projects, by its name in the providers file.", valueName: "NAME"))
    var provider: String?

    @Option(
        help: ArgumentHelp(
            "Make new tokens for those that servers don't take, and write them into this file, for its owner alone.",
            valueName: "FILE"), completion: .file())
    var reissue: String?

    @Flag(help: "Tell what would be imported, and change nothing.")
    var dryRun = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    @OptionGroup var settings: SettingsOptions

    func run() async throws {
        let outcome = try await ImportCommand.reach {
            let request = GoProxyImport.Request(
                source: try source(), sourceKey: try sourceKey(), provider: provider, reissues: reissue != nil,
                isDryRun: dryRun)
            let file = try reissueFile()
            return try await GoProxyImport.run(
                request, settings: try settings.read(),
                keep: { (tokens: [ReissuedToken]) throws(TransferError) -> Void in
                    if let file { try file.keep(tokens) }
                },
                forget: { if let file { file.forget() } })
        }
        let report = GoProxyImportReport(outcome: outcome, isDryRun: dryRun, reissueFile: reissue)
        StandardOutput.write(json ? report.document : report.text)
    }

    /// A URL with a password need not be typed, where others see it: `env:NAME` stands for what is in the environment.
    private func source() throws -> String {
        guard from.hasPrefix("env:") else { return from }
        let name = String(from.dropFirst(4))
        guard let url = ProcessEnvironment.variables[name] else {
            throw ManageError.usage("--from names \(name), which is not in the environment: set it")
        }
        return url
    }

    private func sourceKey() throws -> Secret? {
        if let path = sourceEncryptionKeyFile {
            return try SecretText.read(nil, file: path, option: "--source-encryption-key").map { Secret($0) }
        }
        guard let text = ProcessEnvironment.variables["SOURCE_ENCRYPTION_KEY"], !text.isEmpty else { return nil }
        return Secret(text)
    }

    private func reissueFile() throws -> ReissueFile? {
        guard let path = reissue else { return nil }
        guard dryRun || access(path, F_OK) != 0 else {
            throw ManageError.refused("--reissue \(path) is there already: name another file")
        }
        return ReissueFile(path: path)
    }
}
