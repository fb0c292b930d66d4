extension Symptom {
    private static let tooMany = "Too many wrong management tokens came from this address."

    /// Of `llm-proxy manage`.
    static let calls = [
        Symptom(
            "there is no management token",
            "no management token: set MANAGEMENT_TOKEN, give --management-token or --management-token-file, "
                + "or run in the folder of the server, where ./data/management-token is"),
        Symptom(
            "the address is no URL",
            "the server's address, in --manage-api-base-url or LLM_PROXY_URL, must be http(s)://host[:port]"),
        Symptom("no server is there", "127.0.0.1:… can't be reached: Connection refused"),
        Symptom("it doesn't answer", "127.0.0.1:… can't be reached: no answer came in time"),
        Symptom(
            "something else is there", "127.0.0.1:… answered with status 404, and not as the management API does"),
        Symptom(
            "the token is wrong, was revoked, or has expired",
            "The management token is wrong. (unauthorized) Send 'Authorization: Bearer <management token>'. …"),
        Symptom(
            "its role is too small",
            "The role 'viewer' may not do this. (role_insufficient) Use a management token of the role 'admin', or the "
                + "server's own MANAGEMENT_TOKEN."),
        Symptom(
            "somebody has a token of that name",
            "There is a management token with this 'name' already. (already_exists) Choose another 'name', or …"),
        Symptom(
            "ten wrong tokens came from your address",
            "\(tooMany) (too_many_attempts) Wait as long as Retry-After says, then send the right token."),
    ]
    static let clientsAlike = Symptom("all clients look like one: the proxy before the server is not trusted", tooMany)

    /// Of the admin pages' sign-in.
    static let signIns = [
        Symptom("the token is wrong, was revoked, or has expired", "The management token is wrong."),
        Symptom("ten wrong ones came from your address, or from the proxy that all come through", tooMany),
        Symptom(
            "the browser keeps no cookie of the page, or the form is an old one",
            "The form was not sent from a page of this sign-in."),
        Symptom(
            "nothing was done for long", "You were signed out: nothing was done for 30 minutes. Sign in again."),
        Symptom("the sign-in is old", "You were signed out: a sign-in lasts 12 hours. Sign in again."),
        Symptom(
            "it was ended elsewhere, or its management token was revoked",
            "Your session has ended. Sign in again."),
        Symptom("the role is too small for the page", "The role 'viewer' may not do this."),
    ]
}

extension CommandScenario {
    /// What guides show of troubles: it is what is really said (G21).
    static let troubles: [CommandScenario] = [
        CommandScenario(
            "troubleshooting.import.says-what-is-shown",
            "What stands in the way of an import, or is left out of it, is said as the guide shows it."
        ) { bench, check in
            try await bench.makeImportTroubles()
            for symptom in Symptom.goProxyImports + Symptom.liteLLMImports {
                try await symptom.expect(at: bench, check)
            }
            for file in bench.files() where file.hasPrefix("output-") {
                let said = String(decoding: bench.bytes(of: file) ?? [], as: UTF8.self)
                check.that(!said.contains("hidden-word"), "a secret is shown: \(said)")
            }
        },
        CommandScenario(
            "troubleshooting.manage.says-what-is-shown",
            "What keeps llm-proxy manage from an answer, and what the server refuses it, is said as the guide shows it."
        ) { bench, check in
            let server = try await bench.serve(["MANAGEMENT_TOKEN": rightToken])
            let said = try await callTroubles(of: server, check)
            for symptom in Symptom.calls { check.shows(said[symptom.cause] ?? "nothing", symptom) }
        },
        CommandScenario(
            "troubleshooting.proxy.makes-clients-look-alike",
            "Behind a proxy that the settings don't trust all pay for one's wrong tokens, as the guide shows; behind one that they do, none does."
        ) { bench, check in
            let apart = try await bench.serve(["MANAGEMENT_TOKEN": rightToken, "TRUSTED_PROXIES": "127.0.0.0/8"])
            check.equal(try await apart.answerBesideAttacker(check).status, 200, "with TRUSTED_PROXIES")
            check.equal(try await apart.stop(), 0, "exit code")
            let alike = try await bench.serve(["MANAGEMENT_TOKEN": rightToken])
            let answer = try await alike.answerBesideAttacker(check)
            check.equal(answer.status, 429, "without TRUSTED_PROXIES")
            check.shows(answer.text, .clientsAlike)
        },
        CommandScenario(
            "troubleshooting.sign-in.says-what-is-shown",
            "Why a page asks to sign in again, or shows nothing, is said as the guide shows it.", tags: .slow
        ) { bench, check in
            let faults = try await bench.makeFaults(in: "no file")
            let server = try await bench.serve(faults.environment)
            var said = try await signInTroubles(of: server, check)
            let endings = try await endingsOfSessions(of: server, faults, check)
            said.merge(endings) { $1 }
            for symptom in Symptom.signIns { check.shows(said[symptom.cause] ?? "nothing", symptom) }
        },
    ]

    private static let rightToken = "the-right-management-token"

    // MARK: - Calls

    /// What `llm-proxy manage` says of each cause.
    private static func callTroubles(of server: CommandServer, _ check: Check) async throws -> [String: String] {
        let (bench, here) = (server.bench, "http://127.0.0.1:\(server.port)")
        let there = "http://127.0.0.1:\(bench.upstream.port)"
        let made = try await server.makeViewer()
        bench.upstream.script(UpstreamStep.readRequest + [.await("never")])
        bench.upstream.script(
            UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: "404 Not Found")), .close])
        let known = rightToken
        let calls: [(cause: String, words: String, token: String, code: Int)] = [
            ("there is no management token", "usage --url \(here)", "", 2),
            ("the address is no URL", "whoami --url 127.0.0.1:\(server.port)", known, 2),
            ("no server is there", "database --url http://127.0.0.1:1", known, 3),
            ("it doesn't answer", "usage --timeout 0.3 --url \(there)", known, 3),
            ("something else is there", "whoami --url \(there)", known, 4),
            ("the token is wrong, was revoked, or has expired", "whoami --url \(here)", "a-token-of-nobody", 4),
            ("its role is too small", "access list --url \(here)", made.secret, 4),
            ("somebody has a token of that name", "access create --name viewer --role viewer --url \(here)", known, 4),
        ]
        var said: [String: String] = [:]
        for call in calls {
            let words: [String] = call.words.split(separator: " ").map { String($0) }
            let (code, output) = try await bench.finish(
                ["manage"] + words, environment: ["MANAGEMENT_TOKEN": call.token])
            check.equal(code, call.code, "exit code of \(words): \(output)")
            said[call.cause] = output
        }
        bench.upstream.release("never")
        var throttled: (code: Int?, output: String)
        // One is let in after some seconds, which may pass on a machine that stalls.
        var tries = 0
        repeat {
            for _ in 1...20 { _ = try await server.manage("GET", "/manage/whoami", credential: "Bearer wrong") }
            throttled = try await bench.finish(
                ["manage", "whoami", "--url", here], environment: ["MANAGEMENT_TOKEN": known])
            tries += 1
        } while throttled.code == 0 && tries < 5
        check.equal(throttled.code, 4, "exit code after wrong tokens: \(throttled.output)")
        said["ten wrong tokens came from your address"] = throttled.output
        return said
    }

    // MARK: - Signing in

    /// What pages say of each cause that needs no time.
    private static func signInTroubles(of server: CommandServer, _ check: Check) async throws -> [String: String] {
        var said: [String: String] = [:]
        let form = HTTPField("Content-Type", "application/x-www-form-urlencoded")
        let bare = try await server.exchange(
            HTTPRequest(target: "/admin/sign-in", fields: [form], body: Array("credential=x".utf8)))
        check.equal(bare.status, 403, "a form without its cookie")
        said["the browser keeps no cookie of the page, or the form is an old one"] = bare.shownText
        let made = try await server.makeViewer()
        let session = try await server.signIn(check, with: made.secret)
        let refused = try await server.page("audit", session)
        check.equal(refused.status, 403, "a page that is an operator's")
        said["the role is too small for the page"] = refused.shownText
        check.equal(try await server.manage("DELETE", "/manage/management-tokens/\(made.id)").status, 204, "revoked")
        said["it was ended elsewhere, or its management token was revoked"] = try await server.signedOut(session, check)
        let wrong = try await server.sendSignIn("a-token-of-nobody")
        check.equal(wrong.status, 401, "a wrong token")
        said["the token is wrong, was revoked, or has expired"] = wrong.shownText
        return said
    }

    /// What is said when a session ends by itself, and after too many wrong tokens.
    private static func endingsOfSessions(
        of server: CommandServer, _ faults: any FaultControl, _ check: Check
    ) async throws -> [String: String] {
        var said: [String: String] = [:]
        let idle = try await server.signIn(check)
        try faults.clock(ahead: 1801)
        said["nothing was done for long"] = try await server.signedOut(idle, check)
        let busy = try await server.signIn(check)
        for step in 1...25 {
            try faults.clock(ahead: 1801 + Int64(step) * 1700)
            check.equal(try await server.page("projects", busy).status, 200, "a page after \(step) times 1700 s")
        }
        try faults.clock(ahead: 1801 + 43_201)
        said["the sign-in is old"] = try await server.signedOut(busy, check)
        var last = try await server.sendSignIn("a-token-of-nobody")
        for _ in 1...20 where last.status != 429 { last = try await server.sendSignIn("a-token-of-nobody") }
        check.equal(last.status, 429, "one wrong token too many")
        said["ten wrong ones came from your address, or from the proxy that all come through"] = last.shownText
        return said
    }
}

extension CommandServer {
    /// Makes a management token that may only look.
    fileprivate func makeViewer() async throws -> (id: String, secret: String) {
        let made = try await manage("POST", "/manage/management-tokens", #"{"name":"viewer","role":"viewer"}"#)
        guard let id = made.json["id"].string, let secret = made.json["token"].string else {
            throw StepFailed(description: "no management token: \(made.text)")
        }
        return (id, secret)
    }

    /// The answer to the right token of one client, after many wrong ones of another, both behind a proxy on this machine.
    fileprivate func answerBesideAttacker(_ check: Check) async throws -> HTTPResponse {
        func ask(_ token: String, from address: String) async throws -> HTTPResponse {
            let fields = [HTTPField("Authorization", "Bearer \(token)"), HTTPField("X-Forwarded-For", address)]
            return try await exchange(HTTPRequest(method: "GET", target: "/manage/whoami", fields: fields))
        }
        var last = try await ask("wrong", from: "192.0.2.7")
        for _ in 1...20 { last = try await ask("wrong", from: "192.0.2.7") }
        check.equal(last.status, 429, "whoever sends wrong tokens")
        return try await ask(managementToken, from: "198.51.100.8")
    }

    /// Where a session that is over leads to.
    fileprivate func signedOut(_ session: String, _ check: Check) async throws -> String {
        let answer = try await page("", session)
        check.equal(answer.status, 303, "a page of a session that is over")
        let target = answer.fields.first("location") ?? "/"
        return try await exchange(HTTPRequest(method: "GET", target: target)).shownText
    }
}

extension HTTPResponse {
    /// The text of a page as people read it, with its tags.
    fileprivate var shownText: String { text.replacing("&#39;", with: "'") }
}
