extension CommandScenario {
    /// What the keys promise that upstream keys are sealed under, and where secrets may stand.
    static let keys: [CommandScenario] = [
        CommandScenario(
            "keys.rotate.beside-a-server",
            "The key that a server made is changed while it serves; it goes on, and so does the next one."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()), "before")
            let before = bench.bytes(of: "data/encryption-key")
            let rotated = try await bench.finish(["db", "rotate-key", "--json"], environment: [:])
            check.equal(rotated.code, 0, "rotate-key: \(rotated.output)")
            check.equal(JSONDocument(rotated.output)?["sealed"].integer, 1, "sealed anew")
            check.that(bench.bytes(of: "data/encryption-key") != before, "the key is the same")
            check.equal(bench.mode(of: "data/encryption-key"), 0o600, "mode of the key")
            check.equal(bench.mode(of: "data/encryption-key.former"), 0o600, "mode of the former one")
            check.that(
                try await eventually { try await server.exchange(tenant.request()).status == 200 }, "it serves no more")
            let other = try await server.tenant(name: "made afterwards")
            check.usual(try await server.exchange(other.request()), "a project made afterwards")
            check.equal(try await server.stop(), 0, "exit code")
            bench.remove("data/encryption-key.former")
            let again = try await bench.finish(["db", "rotate-key", "--json"], environment: [:])
            check.equal(JSONDocument(again.output)?["sealed"].integer, 2, "a second time: \(again.output)")
            let next = try await bench.serve()
            for client in [tenant, other] { check.usual(try await next.exchange(client.request()), "the next server") }
        },
        CommandScenario(
            "keys.rotate.over-several-servers",
            "Servers that hold the old key and the new one serve what either has sealed, before, while and after all is sealed anew."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let old = bench.settings(for: database).merging(["ENCRYPTION_KEY": oldKey]) { $1 }
            let new = old.merging(["ENCRYPTION_KEY": newKey]) { $1 }
            let first = try await bench.serve(old.merging(["ENCRYPTION_KEYS_ACCEPTED": newKey]) { $1 })
            let second = try await bench.serve(
                new.merging(["ENCRYPTION_KEYS_ACCEPTED": "\(otherKey),\(oldKey)"]) { $1 })
            let clients = [try await first.tenant(name: "first"), try await second.tenant(name: "second")]
            for server in [first, second] {
                for client in clients { check.usual(try await server.exchange(client.request()), "before") }
            }
            let early = try await bench.finish(["db", "rotate-key"], environment: new)
            check.equal(early.code, 4, "without the old key: \(early.output)")
            check.that(early.output.contains("ENCRYPTION_KEYS_ACCEPTED"), "said: \(early.output)")
            check.equal(early.output.split(separator: "\n").count, 1, "lines")
            let rotated = try await bench.finish(
                ["db", "rotate-key", "--json"], environment: new.merging(["ENCRYPTION_KEYS_ACCEPTED": oldKey]) { $1 })
            check.equal(rotated.code, 0, "rotate-key: \(rotated.output)")
            check.equal(JSONDocument(rotated.output)?["sealed"].integer, 1, "sealed anew: \(rotated.output)")
            for server in [first, second] {
                for client in clients { check.usual(try await server.exchange(client.request()), "afterwards") }
            }
            for server in [first, second] { check.equal(try await server.stop(), 0, "exit code") }
            let third = try await bench.serve(new)
            for client in clients { check.usual(try await third.exchange(client.request()), "with the new key alone") }
        },
        CommandScenario(
            "keys.encrypt.seals-what-is-plain", "A key that was stored as it is, by hand, is sealed, and works then."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let settings = bench.settings(for: database).merging(["ENCRYPTION_KEY": oldKey]) { $1 }
            let server = try await bench.serve(settings)
            let tenant = try await server.tenant()
            try await database.run("UPDATE projects SET sealed_key = '\(upstreamKey)'")
            let refused = try await bench.finish(["db", "rotate-key"], environment: settings)
            check.equal(refused.code, 4, "rotate-key of what is not sealed")
            check.that(refused.output.contains("db encrypt"), "said: \(refused.output)")
            let sealed = try await bench.finish(["db", "encrypt", "--json"], environment: settings)
            check.equal(JSONDocument(sealed.output)?["sealed"].integer, 1, "sealed: \(sealed.output)")
            check.that(!(refused.output + sealed.output).contains(upstreamKey), "the key is shown")
            check.usual(try await server.exchange(tenant.request()), "afterwards")
            let stored = try await database.run("SELECT sealed_key FROM projects")
            check.that(stored.first?.first??.hasPrefix("v1.") == true, "it is not sealed")
            let again = try await bench.finish(["db", "encrypt", "--json"], environment: settings)
            check.equal(JSONDocument(again.output)?["sealed"].integer, 0, "a second time")
        },
        CommandScenario(
            "keys.files.hold-secrets",
            "Each secret may stand in a file that NAME_FILE names; a wrong one is clear, and never shown."
        ) { bench, check in
            try bench.write("a-management-token-in-a-file\n", to: "token.txt")
            try bench.write("\(oldKey)\nsecond line", to: "key.txt")
            try bench.write("\n", to: "empty.txt")
            let files = ["MANAGEMENT_TOKEN_FILE": "token.txt", "ENCRYPTION_KEY_FILE": "key.txt"]
            let command = try await bench.start(
                ["server", "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:\(bench.upstream.port)"],
                environment: files)
            check.that(
                try await eventually { command.output.contains("serves on http") }, "no server: \(command.output)")
            check.equal(bench.mode(of: "data/management-token"), nil, "a token that nobody needs")
            check.equal(bench.mode(of: "data/encryption-key"), nil, "a key that nobody needs")
            let server = CommandServer(
                command: command, bench: bench, managementToken: "a-management-token-in-a-file",
                port: bench.port(in: command.output) ?? 0)
            check.usual(try await server.exchange(try await server.tenant().request()))
            let faults: [([String: String], String)] = [
                (["MANAGEMENT_TOKEN_FILE": "nothing.txt"], "MANAGEMENT_TOKEN_FILE must name a file that exists"),
                (["MANAGEMENT_TOKEN_FILE": "empty.txt"], "MANAGEMENT_TOKEN_FILE must name a file with the secret"),
                (
                    ["MANAGEMENT_TOKEN_FILE": "token.txt", "MANAGEMENT_TOKEN": "hidden-word-hidden-word"],
                    "MANAGEMENT_TOKEN_FILE must not be set beside MANAGEMENT_TOKEN"
                ),
                (["ENCRYPTION_KEY_FILE": "token.txt"], "ENCRYPTION_KEY must be base64"),
            ]
            for (environment, said) in faults {
                let (code, output) = try await bench.finish(["server"], environment: environment)
                check.equal(code, 2, "exit code for \(said)")
                check.that(output.contains(said), "said: \(output)")
                check.that(
                    !output.contains("hidden-word") && !output.contains("in-a-file"), "a secret is shown: \(output)")
            }
        },
        CommandScenario(
            "keys.secrets.are-nowhere",
            "Tokens, upstream keys and the management token are in no log, metric, error, event, answer or file, whatever clients do with them."
        ) { bench, check in
            let settings = [
                "LOG_LEVEL": "debug", "AUDIT_LOG_FILE": "audit.log", "MANAGEMENT_TOKEN": "planted-management-token",
            ]
            let server = try await bench.serve(settings)
            let tenant = try await server.tenant()
            let planted = [tenant.secret, upstreamKey, "planted-management-token"]
            var shown: [(String, String)] = []
            for secret in planted {
                for request in misuses(of: secret, by: tenant) {
                    shown.append((request.target, try await server.exchange(request).text))
                }
                _ = try await server.manage(
                    "PATCH", "/manage/projects/\(tenant.projectID)", #"{"api_key":"\#(secret)"}"#)
            }
            for path in [
                "/manage/projects", "/manage/tokens", "/manage/audit?page_size=100", "/metrics", "/health",
                "/manage/requests?token_id=\(tenant.tokenID)",
            ] { shown.append((path, try await server.manage("GET", path).text)) }
            check.equal(try await server.stop(), 0, "exit code")
            shown.append(("the log", server.command.output))
            for file in bench.files() where file != "data/encryption-key" {
                shown.append((file, String(decoding: bench.bytes(of: file) ?? [], as: UTF8.self)))
            }
            check.that(shown.contains { $0.0 == "audit.log" && !$0.1.isEmpty }, "no file of the audit")
            for (place, text) in shown {
                for secret in planted { check.that(!text.contains(secret), "a secret is in \(place)") }
            }
        },
    ]

    /// Requests that show a secret where it doesn't belong; not in their path, which is kept as it comes.
    private static func misuses(of secret: String, by tenant: Tenant) -> [HTTPRequest] {
        [
            tenant.request("/v1/models?key=\(secret)"),
            tenant.request(fields: [HTTPField("X-Request-ID", secret), HTTPField("X-Correlation-ID", secret + "/")]),
            HTTPRequest(method: "GET", target: "/manage/projects?cursor=\(secret)"),
            HTTPRequest(method: "GET", target: "/manage/\(secret)"),
            HTTPRequest(method: "GET", target: "/v1/models", fields: [HTTPField("Authorization", "Basic \(secret)")]),
            HTTPRequest(
                target: "/manage/projects", fields: [HTTPField("Authorization", "Bearer \(secret)x")],
                body: Array(#"{"name":"\#(secret)","surprise":1}"#.utf8)),
        ]
    }

    private static let oldKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private static let newKey = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
    private static let otherKey = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
}
