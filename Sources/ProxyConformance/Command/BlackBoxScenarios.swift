extension CommandScenario {
    private static let token = "black-box-management-token-0123456789"

    /// What is promised of `llm-proxy conformance` and `llm-proxy load`.
    static let proofs: [CommandScenario] = [
        CommandScenario(
            "command.conformance.holds-on-ours",
            "The catalogue, run against a server of ours from outside, holds; what can't be seen from there is n/a.",
            tags: .slow
        ) { bench, check in
            // The command takes the place of the upstream.
            bench.upstream.stop()
            let server = try await bench.serve(["MANAGEMENT_TOKEN": token])
            let (code, output) = try await bench.finish(
                [
                    "conformance", "--target", "http://127.0.0.1:\(server.port)", "--upstream-port",
                    "\(bench.upstream.port)",
                ], environment: ["MANAGEMENT_TOKEN": token], within: .seconds(180))
            check.equal(code, 0, "exit code of \(output.suffix(2000))")
            let passed = output.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            check.that(passed > 100, "\(passed) passed")
            check.equal(try await server.stop(), 0, "exit code of the server")
        },
        CommandScenario(
            "command.conformance.sees-what-is-broken",
            "A server that asks nobody who they are fails, by name and exit code."
        ) { bench, check in
            let upstream = try await bench.start(["simulate", "--port", "0"], environment: [:])
            let isThere = try await eventually { upstream.output.contains("serves on http") }
            check.that(isThere, "no simulator: \(upstream.output)")
            let port = bench.port(in: upstream.output) ?? 0
            bench.upstream.stop()
            let (code, output) = try await bench.finish(
                [
                    "conformance", "--target", "http://127.0.0.1:\(port)", "--upstream-port", "\(bench.upstream.port)",
                    "--profile", "openai-proxy", "--issuer", "fixed", "--only", "access.missing",
                ], environment: ["LLM_PROXY_TOKEN": "sk-any"], within: .seconds(60))
            check.equal(code, 1, "exit code")
            check.that(output.contains("FAIL access.missing.is-refused"), output)
            upstream.terminate()
        },
        CommandScenario(
            "command.conformance.says-what-is-missing",
            "Without what it needs, the command says so in a line and exits with 2 or 3."
        ) { bench, check in
            for (arguments, code, what) in [
                (["--target", "http://127.0.0.1:1"], 2, "MANAGEMENT_TOKEN"),
                (["--target", "nonsense", "--management-token", token], 2, "http://"),
                (["--target", "http://127.0.0.1:1", "--management-token", token, "--profile", "x"], 2, "--profile"),
                (
                    [
                        "--target", "http://127.0.0.1:1", "--management-token", token, "--upstream-port",
                        "\(bench.upstream.port)",
                    ],
                    3, "\(bench.upstream.port)"
                ),
            ] {
                let (found, output) = try await bench.finish(["conformance"] + arguments)
                check.equal(found, code, "exit code for \(what)")
                check.that(output.contains(what), output)
            }
        },
        CommandScenario(
            "command.load.interrupted-leaves-nothing",
            "A run that is interrupted stops what it has started, removes its folder, and ends with 130.", tags: .slow
        ) { bench, check in
            let command = try await bench.start(
                ["load", "--spawn", "sqlite", "--duration", "60"], environment: ["TMPDIR": bench.folder])
            func files() -> [String] { bench.files().filter { $0.hasPrefix("llm-proxy-load-") } }
            let hasStarted = try await eventually(within: .seconds(30)) {
                files().contains { $0.hasSuffix("llm-proxy.db-wal") }
            }
            check.that(hasStarted, "nothing was started: \(command.output)")
            try await Task.sleep(for: .seconds(1))
            command.terminate()
            let hasEnded = try await eventually(within: .seconds(30)) { command.exitCode != nil }
            check.that(hasEnded, "it goes on")
            check.equal(command.exitCode, 130, "exit code")
            check.equal(files(), [], "files left behind")
        },
        CommandScenario(
            "command.load.tells-its-verdict",
            "A run through a server of its own prints what was counted; a threshold decides the exit code.",
            tags: .slow
        ) { bench, check in
            let load = [
                "load", "--spawn", "sqlite", "--rate", "50", "--duration", "1", "--warm-up", "0", "--max-lag", "10000",
            ]
            let (code, output) = try await bench.finish(
                load + [
                    "--threshold", "lost==0", "--html", "load.html", "--csv", "load.csv", "--json-file", "load.json",
                ],
                within: .seconds(60))
            check.equal(code, 0, "exit code of \(output)")
            check.that(output.contains("counted: exact"), output)
            for file in ["load.html", "load.csv", "load.json"] {
                check.that(bench.bytes(of: file)?.isEmpty == false, "no \(file)")
            }
            let (broken, reason) = try await bench.finish(
                load + ["--threshold", "p50(corrected)<1us"], within: .seconds(60))
            check.equal(broken, 1, "exit code with a threshold that can't hold")
            check.that(reason.contains("p50(corrected)<1us does not hold"), reason)
            for fault in [["--threshold", "p50<"], ["--rate", "0"], ["--mix", "talk"], ["--instances", "2"]] {
                check.equal(try await bench.finish(load + fault).code, 2, "exit code for \(fault)")
            }
        },
    ]
}
