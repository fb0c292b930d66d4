import Foundation
import ProxyFleet
import Testing

/// What bash offers, by the script that the program writes for it.
@Suite("Completion in bash", .timeLimit(.minutes(2)))
struct CompletionTests {
    /// Reads the script, and has it complete the last word of a line as bash would.
    private static let harness = """
        . ./script.bash
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
        COMP_POINT=${#COMP_LINE}
        _llm-proxy llm-proxy "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """

    /// A folder with the script and some files.
    private static func makeFolder() async throws -> TestFolder {
        let folder = TestFolder()
        let script = try await run(ProcessBench.program, ["--generate-completion-script", "bash"], in: folder)
        for (name, text) in [
            "script.bash": script, "harness.bash": harness, "config.yaml": "", "config.txt": "", "backup.db": "",
        ] { try text.write(toFile: "\(folder.path)/\(name)", atomically: true, encoding: .utf8) }
        return folder
    }

    /// Runs a program to its good end, and gives what it said.
    private static func run(_ program: String, _ arguments: [String], in folder: TestFolder) async throws -> String {
        let child = try ChildProcess(
            program, arguments, environment: [:], folder: folder.path,
            outputPath: "\(folder.path)/output-\(UUID().uuidString)")
        let code = await child.end(within: .seconds(30))
        try #require(code == 0, "\(program) \(arguments) ended with \(code ?? -1): \(child.output)")
        return child.output
    }

    @Test("reads the script without a fault")
    func syntax() async throws {
        let folder = try await Self.makeFolder()
        #expect(try await Self.run("/bin/bash", ["-n", "script.bash"], in: folder) == "")
    }

    @Test(
        "offers commands, and what their options take",
        arguments: [
            ("ser", ["server"]), ("db ro", ["rotate-key"]), ("import g", ["go-proxy"]), ("manage who", ["whoami"]),
            ("manage access create --role ", ["viewer", "operator", "admin"]),
            ("manage usage --group-by t", ["token"]), ("manage audit list --outcome r", ["refused"]),
            ("db verify --set AUDIT_E", ["AUDIT_ENABLED="]), ("db verify --database-path back", ["backup.db"]),
            ("db restore --from back", ["backup.db"]), ("import litellm --config config", ["config.yaml"]),
            ("load --spawn p", ["postgres"]),
        ])
    func offers(_ typed: String, _ wanted: [String]) async throws {
        let folder = try await Self.makeFolder()
        let words = typed.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
        let offered = try await Self.run("/bin/bash", ["harness.bash", "llm-proxy"] + words, in: folder)
        #expect(offered.split(separator: "\n").map { String($0) } == wanted)
    }
}
