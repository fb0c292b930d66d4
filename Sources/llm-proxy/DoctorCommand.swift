import ArgumentParser
import ProxyManagement
import ProxyServer
import ProxySettings

/// `llm-proxy doctor`: whether a server would serve here, and if not, why.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the set-up without serving, and tell what is wrong with it and how to mend it.",
        discussion: """
            Takes the settings that a server would take here, and changes nothing; it may run beside a server. Each line
            is a check: ok, warning or FAILED, what was looked at, what was found, and what to do about it. Secrets are
            not shown.

            Example:
              llm-proxy doctor --listen :8080
              llm-proxy doctor --offline --json

            Exit codes: 0 nothing failed, 1 a check failed, 2 the settings can't be read.
            """)

    @OptionGroup var settings: SettingsOptions

    @Flag(help: "Show settings that are at their defaults too.")
    var all = false

    @Flag(help: "Don't connect to the upstream.")
    var offline = false

    @Flag(help: "One JSON document instead of text.")
    var json = false

    func run() async throws {
        let read = try settings.read()
        var findings = try settings.findings(all: all)
        findings += await ServerDoctor(read, isOffline: offline).examine()
        findings += DoctorFiles.findings(read)
        StandardOutput.write(json ? Self.document(findings) : findings.map(\.line).joined(separator: "\n"))
        if findings.contains(where: { $0.verdict == .failed }) { throw ExitCode(1) }
    }

    private static func document(_ findings: [DoctorFinding]) -> String {
        let checks = findings.map { finding in
            JSONValue.object([
                ("name", .string(finding.name)), ("verdict", .string(finding.verdict.rawValue)),
                ("found", .string(finding.found)), ("remedy", .text(finding.remedy)),
            ])
        }
        let failed = findings.count(where: { $0.verdict == .failed })
        return JSONValue.object([("checks", .array(checks)), ("failed", .integer(failed))]).text
    }
}

extension DoctorFinding {
    fileprivate var line: String {
        let word =
            switch verdict {
            case .ok: "ok     "
            case .warning: "warning"
            case .failed: "FAILED "
            }
        let advice = remedy.map { " (\($0))" } ?? ""
        return "\(word)  \(name): \(found)\(advice)".printable
    }
}

extension SettingsOptions {
    /// What somebody has set, and who.
    /// - Parameter all: whether defaults are among them.
    fileprivate func findings(all: Bool) throws -> [DoctorFinding] {
        // Whether it can be read has been seen by whoever read the settings.
        let origins = ServerSettings.origins(
            environment: ProcessEnvironment.variables, dotEnv: DoctorFiles.text(of: ".env"), flags: try flags())
        let shown = origins.filter { all || $0.source != .preset }
        guard !shown.isEmpty else { return [.ok("settings", "all are at their defaults")] }
        return shown.map { .ok($0.setting.name, $0.summary) }
    }
}

extension SettingOrigin {
    fileprivate var summary: String {
        let place =
            switch source {
            case .flag: ", from the command line"
            case .environment: ", from the environment"
            case .dotEnv: ", from .env"
            case .file(let path): ", from the file \(path)"
            case .preset: ", the default"
            }
        let isSet = source != .preset
        return isSet || text != nil ? "\(text ?? "(secret)")\(place)" : "not set"
    }
}
