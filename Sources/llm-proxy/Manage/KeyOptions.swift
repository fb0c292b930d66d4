import ArgumentParser
import ProxyManagement

/// A provider's key.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The key that the provider issued; - for a line of standard input, which no shell remembers.",
            valueName: "key"))
    var apiKey: String?

    @Option(help: ArgumentHelp("A file whose first line is the key.", valueName: "path"), completion: .file())
    var apiKeyFile: String?

    var isGiven: Bool { apiKey != nil || apiKeyFile != nil }

    /// - Returns: `nil` when none was given.
    func read() throws(ManageError) -> JSONValue? {
        let key = try SecretText.read(apiKey, file: apiKeyFile, option: "--api-key")
        return key.map(JSONValue.string)
    }
}
