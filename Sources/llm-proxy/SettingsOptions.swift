import ArgumentParser
import ProxyFleet
import ProxySettings

/// Settings on the command line: they win over the environment, and that wins over `.env`.
struct SettingsOptions: ParsableArguments {
    @Option(help: "Where clients connect: host:port, or :port for every address. (LISTEN_ADDR)")
    var listen: String?

    @Option(help: "The SQLite file, or :memory:. (DATABASE_PATH)", completion: .file())
    var databasePath: String?

    @Option(
        name: .customLong("set"), help: ArgumentHelp("Any other setting.", valueName: "NAME=VALUE"),
        completion: Self.names)
    var assignments: [String] = []

    /// Shells offer the names of all settings.
    static var names: CompletionKind { .list(ServerSettings.keys.map { "\($0.name)=" }) }

    /// Reads all settings.
    /// - Parameter overrides: settings that the command itself decides.
    func read(overrides: [String: String] = [:]) throws -> ServerSettings { try Self.read(flags(overrides)) }

    /// What was said on the command line, by the settings' names.
    func flags(_ overrides: [String: String] = [:]) throws -> [String: String] {
        var flags = overrides
        flags["LISTEN_ADDR"] = listen ?? flags["LISTEN_ADDR"]
        flags["DATABASE_PATH"] = databasePath ?? flags["DATABASE_PATH"]
        for assignment in assignments {
            guard let equals = assignment.firstIndex(of: "=") else {
                throw ValidationError("--set takes NAME=VALUE, for instance --set REQUEST_TIMEOUT=60s.")
            }
            flags[String(assignment[..<equals])] = String(assignment[assignment.index(after: equals)...])
        }
        return flags
    }

    /// Reads all settings, those in `flags` before any others.
    static func read(_ flags: [String: String] = [:]) throws -> ServerSettings {
        do {
            return try ServerSettings.read(
                environment: ProcessEnvironment.variables, dotEnv: try TextFile.read(".env"), flags: flags,
                files: TextFile.read)
        } catch {
            StandardError.write("\(error)")
            throw ExitCode(2)
        }
    }

    /// The list of all settings, for `--help`.
    static var listing: String {
        ServerSettings.keys.map { key in
            let given = key.defaultText.map { " (default \($0))" } ?? ""
            return "  \(key.name)\(given): \(key.summary)"
        }.joined(separator: "\n")
    }
}
