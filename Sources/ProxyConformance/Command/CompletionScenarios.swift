extension CommandScenario {
    /// What shells are told of the program. What bash makes of it is looked at by `CompletionTests`.
    static let completions: [CommandScenario] = [
        CommandScenario(
            "completion.scripts.name-every-command",
            "The scripts that complete words in bash, zsh and fish name every command of the program."
        ) { bench, check in
            let help = try await bench.finish(["--experimental-dump-help"])
            let names = commandNames(below: JSONDocument(help.output)?["command"] ?? .null)
            check.that(names.isSuperset(of: ["server", "rotate-key", "go-proxy", "whoami"]), "the help names \(names)")
            for shell in ["bash", "zsh", "fish"] {
                let script = try await bench.finish(["--generate-completion-script", shell])
                check.equal(script.code, 0, "exit code for \(shell)")
                check.equal(names.filter { !script.output.contains($0) }, [], "commands that \(shell) is not told of")
            }
        }
    ]

    private static func commandNames(below command: JSONDocument) -> Set<String> {
        command["subcommands"].items.reduce(into: []) { names, each in
            if let name = each["commandName"].string { names.insert(name) }
            names.formUnion(commandNames(below: each))
        }
    }
}
