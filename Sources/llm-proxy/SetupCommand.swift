import ArgumentParser
import Glibc
import ProxyFleet
import ProxyServer
import ProxySettings
import SystemFacts

/// `llm-proxy setup`: leaves a folder in which `llm-proxy server` serves.
struct SetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Write .env with fresh secrets into the current folder, so that a server can be started there.",
        discussion: """
            Asks where clients connect and where the database is, on a terminal and without options; otherwise options say
            so. An existing .env stays unless --force is given, and its MANAGEMENT_TOKEN and ENCRYPTION_KEY are kept even then: what is in the
            database is sealed under them. The rest of it is put aside as .env.before. Secrets are written into the file, for its owner alone, and shown nowhere.

            Example:
              llm-proxy setup
              llm-proxy setup --non-interactive --listen :8080 --database-url postgres://llmproxy:secret@db/llmproxy

            Exit codes: 0 written, 1 a file can't be written, 2 usage, 4 refused: there is a .env already.
            """)

    private static let file = ".env"

    @Option(help: "Where clients connect: host:port, or :port for every address. (LISTEN_ADDR)")
    var listen: String?

    @Option(help: ArgumentHelp("The SQLite file. (DATABASE_PATH)", valueName: "path"), completion: .file())
    var databasePath: String?

    @Option(
        help: ArgumentHelp(
            "PostgreSQL instead: postgres://…; - for a line of standard input. (DATABASE_URL)", valueName: "url"))
    var databaseURL: String?

    @Flag(help: "Replace .env, keep its two secrets, and put the old file aside as .env.before.")
    var force = false

    @Flag(help: "Ask nothing.")
    var nonInteractive = false

    func validate() throws {
        guard databasePath == nil || databaseURL == nil else {
            throw ValidationError("--database-path and --database-url exclude each other.")
        }
    }

    func run() async throws {
        do throws(ManageError) {
            let old = try Self.read(Self.file)
            guard old == nil || force else {
                throw ManageError.refused("\(Self.file) is there already: with --force it is replaced")
            }
            let answers = try gatherAnswers()
            let (text, settings) = try document(answers, keeping: old)
            try PrivateFile.makeFolder(of: settings.database.path)
            if let old { try PrivateFile.write(old, to: Self.file + ".before", replaces: true) }
            try PrivateFile.write(text, to: Self.file, replaces: force)
            greet(settings)
        } catch {
            StandardError.write("llm-proxy setup: \(error)")
            throw ExitCode(error.exitCode)
        }
    }

    private static func read(_ path: String) throws(ManageError) -> String? {
        do { return try TextFile.read(path) } catch { throw .failed("\(path) can't be read") }
    }

    /// What to do next, ready to be pasted.
    private func greet(_ settings: ServerSettings) {
        let port = settings.listen.port
        let address = port == 8080 || port == 0 ? "" : " --url http://localhost:\(port)"
        StandardOutput.write(
            """
            Wrote \(Self.file), readable by its owner only: keep a copy where you keep secrets.
            Start the server, then, in another terminal, make a project with your provider's key:
              llm-proxy server
              MANAGEMENT_TOKEN=$(sed -n 's/^MANAGEMENT_TOKEN=//p' \(Self.file)) \
            llm-proxy manage project create --name first --api-key -\(address)
            """)
    }
}

// MARK: - What is asked

extension SetupCommand {
    /// What a set-up is made of, besides its secrets.
    private struct Answers {
        var listen = ":8080"
        var databasePath = "./data/llm-proxy.db"
        /// `nil` for SQLite.
        var databaseURL: String?
    }

    private func gatherAnswers() throws(ManageError) -> Answers {
        var answers = Answers()
        answers.listen = listen ?? answers.listen
        answers.databasePath = databasePath ?? answers.databasePath
        answers.databaseURL = try SecretText.read(databaseURL, file: nil, option: "--database-url")
        let isBare = listen == nil && databasePath == nil && databaseURL == nil && !force && !nonInteractive
        guard isBare, isatty(STDIN_FILENO) == 1 else { return answers }
        answers.listen = Self.ask("Where clients connect", answers.listen)
        let place = Self.ask("The database: a SQLite file, or postgres://user:password@host/name", answers.databasePath)
        if place.contains("://") {
            answers.databaseURL = try SecretText.checked(place, from: "the database's URL")
        } else {
            answers.databasePath = place
        }
        return answers
    }

    /// - Returns: the usual answer where none is given.
    private static func ask(_ question: String, _ usual: String) -> String {
        StandardError.write("\(question) [\(usual)]:")
        let answer = readLine() ?? ""
        return answer.isEmpty ? usual : answer
    }
}

// MARK: - What is written

extension SetupCommand {
    /// The text of `.env`, and what a server makes of it.
    private func document(
        _ answers: Answers, keeping old: String?
    ) throws(ManageError) -> (text: String, settings: ServerSettings) {
        let folder = FilePath.folder(of: answers.databasePath)
        let before = old.flatMap { try? ServerSettings.read(environment: [:], dotEnv: $0, files: TextFile.read) }
        guard before != nil || old == nil else {
            throw .refused("\(Self.file) can't be read, so that its secrets would be lost: mend it or move it away")
        }
        var random = SystemRandomNumberGenerator()
        let fresh = (
            token: FreshSecrets.managementToken(using: &random), key: FreshSecrets.encryptionKey(using: &random)
        )
        let token = try Self.kept(before?.managementToken, "\(folder)/management-token") ?? fresh.token
        let key = try Self.kept(before?.encryption.key, "\(folder)/encryption-key") ?? fresh.key
        let text = Self.text(answers, token: token, key: key)
        let settings = try Self.settings(in: text)
        let isSame =
            settings.managementToken?.revealed() == token && settings.encryption.key?.revealed() == key
            && settings.database.path == answers.databasePath
            && settings.database.url?.revealed() == answers.databaseURL
        guard isSame else { throw .usage("what was answered can't be written into \(Self.file)") }
        return (text, settings)
    }

    private static func text(_ answers: Answers, token: String, key: String) -> String {
        var lines = [
            "# Made by llm-proxy setup. Who has this file has everything: keep it to yourself.",
            "MANAGEMENT_TOKEN=\(token)", "ENCRYPTION_KEY=\(key)", "LISTEN_ADDR=\(Self.quoted(answers.listen))",
            "DATABASE_PATH=\(Self.quoted(answers.databasePath))",
        ]
        if let url = answers.databaseURL { lines += ["DB_DRIVER=postgres", "DATABASE_URL=\(Self.quoted(url))"] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a server reads of it.
    private static func settings(in text: String) throws(ManageError) -> ServerSettings {
        do throws(SettingsError) {
            return try ServerSettings.read(environment: [:], dotEnv: text, files: TextFile.read)
        } catch {
            throw .usage(error.faults.map(\.description).joined(separator: "; "))
        }
    }

    /// A secret that is in force already: one that was set, or that a server has made and put beside its database.
    private static func kept(_ secret: Secret?, _ path: String) throws(ManageError) -> String? {
        if let secret { return secret.revealed() }
        let line = try SecretText.firstLine(of: path)
        return line?.isEmpty == true ? nil : line
    }

    /// In double quotes, as `.env` reads them.
    private static func quoted(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"" + escaped + "\""
    }
}
