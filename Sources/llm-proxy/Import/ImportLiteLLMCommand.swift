import ArgumentParser
import Glibc
import ProxyFleet
import ProxyManagement
import ProxyServer
import ProxySettings

/// `llm-proxy import litellm`: makes a providers file, and projects, of LiteLLM's `config.yaml`.
struct ImportLiteLLMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "litellm",
        abstract: "Make a providers file, and a project for each key, of LiteLLM's config.yaml.",
        discussion: """
            The providers file goes to standard output, or into a file; what can't be carried over is told on standard error, entry by
            entry. Keys that the file names as os.environ/NAME are taken from the environment, when projects are made. Run again, it leaves
            projects alone that are there already. The audit tells of projects that were made, as import.litellm.

            Example:
              llm-proxy import litellm --config ./config.yaml > api_providers.yaml
              llm-proxy import litellm --config ./config.yaml --providers ./api_providers.yaml --create-projects

            Exit codes: 0 done, whatever could not be carried over; 1 failed; 2 usage; 3 the database can't be reached; 4 refused: a key is
            missing, names clash, or a file is there already.
            """)

    @Option(help: ArgumentHelp("LiteLLM's config.yaml.", valueName: "FILE"), completion: .yaml)
    var config: String

    @Option(
        help: ArgumentHelp("Write the providers file here, where there is none yet.", valueName: "FILE"),
        completion: .yaml)
    var providers: String?

    @Flag(help: "Make a project for each key, in the database of the settings.")
    var createProjects = false

    @Flag(help: "Tell what would be made, and change nothing.")
    var dryRun = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    @OptionGroup var settings: SettingsOptions

    func run() async throws {
        let outcome = try await ImportCommand.reach {
            if let path = providers, !dryRun, access(path, F_OK) == 0 {
                throw ManageError.refused("--providers \(path) is there already: name another file, or remove it")
            }
            let request = LiteLLMImport.Request(
                config: try text(), name: config, environment: ProcessEnvironment.variables,
                createsProjects: createProjects, isDryRun: dryRun)
            let outcome = try await LiteLLMImport.run(request, settings: { try settings.read() })
            if let path = providers, !dryRun {
                try PrivateFile.write(outcome.providersFile, to: path, replaces: false)
            }
            return outcome
        }
        json ? StandardOutput.write(document(outcome)) : tell(outcome)
    }

    private func text() throws -> String {
        let found: String?
        do { found = try TextFile.read(config) } catch {
            throw ManageError.usage("--config \(config) can't be read: look at its permissions")
        }
        guard let found else { throw ManageError.usage("--config \(config) is not there: correct the path") }
        return found
    }
}

// MARK: - What it says

extension ImportLiteLLMCommand {
    /// The providers file alone goes to standard output, so that it can be sent into a file.
    private func tell(_ outcome: LiteLLMImport.Outcome) {
        if providers == nil { StandardOutput.write(String(outcome.providersFile.dropLast())) }
        for remark in outcome.remarks {
            StandardError.write("\(config) line \(remark.line): \(remark.text)".printable)
        }
        for project in outcome.projects { StandardError.write(told(project).printable) }
        guard let providers else { return }
        StandardError.write(
            dryRun
                ? "would write \(providers)"
                : "wrote \(providers): look through it, then start servers with API_CONFIG_PATH=\(providers)")
    }

    private func told(_ project: LiteLLMImport.ImportedProject) -> String {
        let key = project.keyVariable.map { ", with the key that is in \($0)" } ?? ""
        let what = "project '\(project.name)' for \(project.api)\(key)"
        switch project.state {
        case .notAsked: return "\(what): to be made, with --create-projects or llm-proxy manage project create"
        case .written: return dryRun ? "would make \(what)" : "made \(what)"
        case .there: return "\(what) is there already"
        }
    }

    private func document(_ outcome: LiteLLMImport.Outcome) -> String {
        let projects: [JSONValue] = outcome.projects.map { project in
            .object([
                ("name", .string(project.name)), ("api", .string(project.api)),
                ("key_variable", .text(project.keyVariable)), ("state", .string(project.state.rawValue)),
            ])
        }
        let remarks: [JSONValue] = outcome.remarks.map { remark in
            .object([("line", .integer(remark.line)), ("text", .string(remark.text))])
        }
        return JSONValue.object([
            ("dry_run", .bool(dryRun)), ("providers", .string(outcome.providersFile)),
            ("providers_file", .text(dryRun ? nil : providers)), ("apis", .names(outcome.apis)),
            ("projects", .array(projects)), ("remarks", .array(remarks)),
        ]).text
    }
}
