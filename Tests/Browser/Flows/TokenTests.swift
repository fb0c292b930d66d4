import Foundation
import Testing

extension AdminPageTests {
    /// Tokens, from the one time they are shown on.
    @Suite struct TokenTests {
        private static func name() -> String { "flow \(UUID().uuidString.lowercased())" }

        @Test(arguments: Look.flows)
        func aTokenIsCreatedShownOnceAndGood(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let (project, name) = (try await visit.site.newProject(Self.name()), Self.name())
                try await visit.open("/admin/tokens/new?project_id=\(project)")
                try await visit.submit(
                    Action.createToken, ["name": name, "lifetime": "never", "max_requests": "5"])
                #expect(try await visit.page == "token-created")
                let secret = try await visit.secret()
                let snippets = try await visit.snippets()
                for language in ["curl", "python", "javascript", "swift"] {
                    let snippet = snippets[language] ?? ""
                    #expect(snippet.contains(secret) && snippet.contains(visit.site.origin), "\(language): \(snippet)")
                }
                #expect(try await visit.site.send(curl: snippets["curl"] ?? "").status == 200)
                try await visit.browser.reload()
                try await visit.browser.wait(for: "the reloaded page") { try await visit.page != "none" }
                #expect(try await !visit.browser.source.contains(secret), "a reload shows it again")
                let tokens = try await visit.site.api("GET", "/manage/tokens?project_id=\(project)").list
                #expect(tokens.count == 1, "a reload made another")
                #expect(tokens.first?["name"].text == name && tokens.first?["max_requests"] == 5)
                try await visit.open("/admin/tokens/\(tokens.first?["id"].text ?? "none")")
                #expect(try await !visit.browser.source.contains(secret))
            }
        }

        @Test func theSecretIsCopiedByAButton() async throws {
            try await Visit.walk(.usual) { visit in
                let project = try await visit.site.newProject(Self.name())
                try await visit.open("/admin/tokens/new?project_id=\(project)")
                try await visit.submit(Action.createToken, ["lifetime": "never"])
                try await visit.browser.develop(
                    "Browser.grantPermissions",
                    [
                        "origin": .string(visit.site.origin),
                        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"],
                    ])
                let secret = try await visit.secret()
                try await visit.browser.element(Hook.copyButton).click()
                let read = "return navigator.clipboard.readText()"
                try await visit.browser.wait(for: "the secret in the clipboard") {
                    try await visit.browser.run(read).text == secret
                }
            }
        }

        @Test(arguments: Look.flows)
        func theLimitsOfATokenAreEdited(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let token = try await visit.site.newToken(of: visit.site.newProject(Self.name()))
                try await visit.open("/admin/tokens/\(token.id)")
                try await visit.submit(
                    Action.changeToken,
                    ["requests_per_minute": "60", "tokens_per_minute": "9000", "max_requests": "77"], for: "/limits")
                #expect(try await visit.page == "token")
                let after = try await visit.site.api("GET", "/manage/tokens/\(token.id)")
                #expect(after["limits"]["requests_per_minute"] == 60 && after["max_requests"] == 77)
                #expect(after["limits"]["tokens_per_minute"] == 9000)
                let form = try await visit.form(Action.changeToken, for: "/limits")
                #expect(try await form.element("[name=requests_per_minute]").property("value").text == "60")
                try await visit.submit(Action.changeToken, ["name": "renamed", "lifetime": "never"], for: "/edit")
                let renamed = try await visit.site.api("GET", "/manage/tokens/\(token.id)")
                #expect(renamed["name"] == "renamed" && renamed["limits"] == after["limits"])
            }
        }

        @Test(arguments: Look.flows)
        func theUseOfEachLimitIsShownAtTheMoment(look: Look) async throws {
            let site = try await AdminSite.start()
            await withSite(site) {
                try await Visit.walk(look, at: site) { visit in
                    let project = try await site.newProject(Self.name(), ["limits": ["budget_usd": 25]])
                    let token = try await site.newToken(
                        of: project, "",
                        [
                            "max_requests": 8,
                            "limits": ["requests_per_minute": 2, "tokens_per_minute": 900_000, "budget_usd": 5],
                        ])
                    for _ in 1...2 { try await site.chat(token.secret) }
                    await site.settle()
                    try await visit.open("/admin/tokens/\(token.id)")
                    #expect(try await visit.figure("used_max_requests") == "2")
                    #expect(try await visit.figure("used_requests_per_minute") == "2")
                    #expect(try await visit.figure("used_tokens_per_minute") != "0")
                    #expect(try await visit.browser.has("[data-figure=used_budget_usd]"))
                    #expect(try await visit.browser.has("[data-figure=used_project_budget_usd]"))
                    #expect(try await visit.browser.elements("main ul.uses progress[aria-label]").count == 5)
                    #expect(try await visit.browser.elements("main ul.uses progress.full").count == 1)
                    #expect(try await visit.text.contains("Room again"))
                    let form = try await visit.form(Action.changeToken, for: "/limits")
                    #expect(try await form.elements("progress[aria-label]").count == 4)
                    site.clock.pass(.seconds(61))
                    try await visit.open("/admin/tokens/\(token.id)")
                    #expect(try await visit.figure("used_max_requests") == "2")
                    #expect(try await visit.figure("used_requests_per_minute") == "0")
                    #expect(try await visit.figure("used_tokens_per_minute") == "0")
                    #expect(try await !visit.browser.has("main ul.uses progress.full"))
                }
            }
        }

        @Test(arguments: Look.flows)
        func aTokenIsRevokedAndReactivatedWithItsCapAndCount(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let project = try await visit.site.newProject(Self.name())
                let token = try await visit.site.newToken(of: project, "", ["max_requests": 3])
                for _ in 1...2 { try await visit.site.chat(token.secret) }
                await visit.site.settle()
                try await visit.open("/admin/tokens/\(token.id)")
                try await visit.submit(Action.revokeToken)
                #expect(try await visit.site.chat(token.secret).status == 401)
                try await visit.open("/admin/tokens/\(token.id)")
                try await visit.submit(Action.changeToken, for: "/reactivate")
                let after = try await visit.site.api("GET", "/manage/tokens/\(token.id)")
                #expect(after["is_active"] == true && after["max_requests"] == 3 && after["request_count"] == 2)
                #expect(try await visit.site.chat(token.secret).status == 200)
                #expect(try await visit.site.chat(token.secret).status == 429, "the cap was lost")
            }
        }

        @Test(arguments: Look.flows)
        func tokensAreFoundByNameProjectAndState(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let (project, name) = (try await visit.site.newProject(Self.name()), Self.name())
                let good = try await visit.site.newToken(of: project, name + " good")
                let bad = try await visit.site.newToken(of: project, name + " bad")
                try await visit.site.api("DELETE", "/manage/tokens/\(bad.id)")
                try await visit.open("/admin/tokens?search=\(name.suffix(30))")
                #expect(try await visit.browser.elements("main tbody tr").count == 2)
                try await visit.open("/admin/tokens?project_id=\(project)&active=true")
                #expect(try await visit.browser.elements("main tbody tr").count == 1)
                #expect(try await visit.browser.has("main tbody a[href=\"/admin/tokens/\(good.id)\"]"))
                try await visit.open("/admin/tokens?project_id=\(project)&active=false")
                #expect(try await visit.browser.has("main tbody a[href=\"/admin/tokens/\(bad.id)\"]"))
            }
        }
    }
}

extension Visit {
    /// A figure of the open page, by its hook.
    fileprivate func figure(_ name: String) async throws -> String {
        try await browser.element("[data-figure=\"\(name)\"]").text
    }

    /// The token that is shown once.
    func secret() async throws -> String {
        let shown = try await browser.element(Hook.secret)
        if let value = try await shown.property("value").text { return value }
        return try await shown.text
    }

    /// What may be copied to use a token, by language.
    func snippets() async throws -> [String: String] {
        var found: [String: String] = [:]
        for snippet in try await browser.elements(Hook.snippet) {
            let name = try await snippet.attribute("id") ?? ""
            found[String(name.dropFirst("snippet-".count))] = try await snippet.property("textContent").text
        }
        return found
    }
}

extension AdminSite {
    /// Sends the request that a curl command describes: its address, its fields and its body.
    func send(curl command: String) async throws -> Exchange.Answer {
        let words = Self.words(command.replacing("\\\n", with: " "))
        guard words.first == "curl" else { throw TestFailure("no curl command: \(command)") }
        var (target, fields, body) = ("", [(name: String, value: String)](), String?.none)
        var index = 1
        while index < words.count {
            let word = words[index]
            let next = index + 1 < words.count ? words[index + 1] : ""
            switch word {
            case "-H", "--header":
                let parts = next.split(separator: ": ", maxSplits: 1)
                if parts.count == 2 { fields.append((String(parts[0]), String(parts[1]))) }
                index += 1
            case "-d", "--data", "--data-raw", "--json":
                body = next
                index += 1
                if word == "--json" { fields.append(("Content-Type", "application/json")) }
            case "-X", "--request": index += 1
            default: if word.hasPrefix(origin) { target = String(word.dropFirst(origin.count)) }
            }
            index += 1
        }
        return try await send(body == nil ? "GET" : "POST", target, fields: fields, body: body)
    }

    /// The words of a command as a shell reads them, as far as quotes go.
    private static func words(_ command: String) -> [String] {
        var (words, word, quote) = ([String](), String?.none, Character?.none)
        for character in command {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let whole = word { words.append(whole) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }
}
