import ArgumentParser
import ProxyManagement
import ProxyServer
import ProxySettings

/// `llm-proxy db rotate-key`: seals stored upstream keys under another key.
struct DatabaseRotateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-key", abstract: "Seal all stored upstream keys under a new key, while servers run.",
        discussion: """
            With keys that the server made (encryption-key beside a SQLite file) a new one is made, the one before is kept in
            encryption-key.former, and a running server takes the new one by itself.

            With ENCRYPTION_KEY, set it to the new key and ENCRYPTION_KEYS_ACCEPTED to the old one, for this command and for the servers.
            With several servers, first restart each with the old key and ENCRYPTION_KEYS_ACCEPTED=new, so that all can open what any seals;
            then each with ENCRYPTION_KEY=new and ENCRYPTION_KEYS_ACCEPTED=old; then run this; then the old key can go.

            When all is sealed, the audit tells of it as database.rotate_key.

            Example:
              llm-proxy db rotate-key

            Exit codes: 0 all are under the new key; 3 the database can't be reached; 4 refused: one is sealed under a key that isn't held.
            """)

    @OptionGroup var settings: SettingsOptions

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        try await KeyWork.run(settings, json: json) { try await KeyRotation.rotate($0) }
    }
}

/// `llm-proxy db encrypt`: seals stored upstream keys that are not sealed.
struct DatabaseEncryptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encrypt",
        abstract: "Seal stored upstream keys that were stored as they are, by another program or by hand.",
        discussion: """
            Servers seal every key that they are given; this is for rows that came from elsewhere.
            The audit tells of it as database.encrypt.

            Example:
              llm-proxy db encrypt

            Exit codes: 0 all are sealed; 3 the database can't be reached.
            """)

    @OptionGroup var settings: SettingsOptions

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        try await KeyWork.run(settings, json: json) { try await KeyRotation.encrypt($0) }
    }
}

/// What both have in common.
private enum KeyWork {
    static func run(
        _ settings: SettingsOptions, json: Bool, _ work: (ServerSettings) async throws -> KeyRotation.Outcome
    ) async throws {
        let outcome = try await DatabaseCommand.reach(settings, work)
        StandardOutput.write(json ? document(outcome) : text(outcome))
    }

    private static func document(_ outcome: KeyRotation.Outcome) -> String {
        JSONValue.object([
            ("found", .integer(outcome.found)), ("sealed", .integer(outcome.sealed)),
            ("key_id", .string(outcome.keyID)),
            ("key_file", .text(outcome.file)),
        ]).text
    }

    private static func text(_ outcome: KeyRotation.Outcome) -> String {
        let made = outcome.file.map {
            ["the new key is in \($0): keep it with your backups, and the former ones as long as those"]
        }
        let line =
            "\(outcome.sealed) of \(outcome.found) upstream keys were sealed anew, under encryption key \(outcome.keyID)"
        return ([line] + (made ?? [])).joined(separator: "\n")
    }
}
