import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What storages promise of values at the edge of their range.
    static let edges: [StorageScenario] = [
        StorageScenario(
            "edge.instants.read-back", "Instants read back to the millisecond, from the first year to the last."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let instants: [Timestamp] = [
                .earliest, .init(milliseconds: -1), .init(milliseconds: 0), .init(milliseconds: 999), .noon, .latest,
            ]
            for (index, instant) in instants.enumerated() {
                let token = Token.sample(index + 1, expiresAt: instant, createdAt: instant)
                try await tenancy.storage.create(token, digest: .sample(index + 1))
                check.equal(try await tenancy.storage.token(token.id), token, "token of \(instant)")
            }
        },
        StorageScenario(
            "edge.instants.sort-as-time", "An expiry before 1970 or in the year 9999 is compared as an instant."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            for (number, expiry) in [(1, Timestamp.earliest), (2, .init(milliseconds: 0)), (3, .latest)] {
                let token = try await tenancy.issue(number, expiresAt: expiry)
                let wanted: AdmissionVerdict = number == 3 ? .admitted(remaining: nil) : .refused(.tokenExpired)
                check.equal(try await tenancy.admit(number...number, of: token), [wanted], "expiry \(expiry)")
            }
            let active = try await tenancy.storage.tokens(TokenFilter(isActive: true, now: .noon), after: nil, limit: 9)
            check.equal(active.map(\.id), [.sample(3)], "active tokens")
        },
        StorageScenario(
            "edge.text.reads-back", "Any text reads back byte for byte: quotes, lines, wildcards, scripts, emoji."
        ) { site, check in
            let storage = try await site.open()
            let texts = [
                "o'clock \"quoted\" `ticked`", "a\nb\r\nc\td", "100% _under_ \\back\\", "'); DROP TABLE projects;--",
                "日本語 العربية עברית", "👩‍👩‍👧‍👦🇨🇭", "\u{1}\u{7f}\u{feff}\u{202e}", " \u{a0}\u{2003} ", "$1 :name ?1 @x",
                String(repeating: "é", count: 200),
            ]
            for (index, text) in texts.enumerated() {
                try await storage.create(.sample(index + 1, name: text))
                let found = try await storage.project(.sample(index + 1)).name
                check.equal(Array(found.utf8), Array(text.utf8), "text \(index)")
            }
        },
        StorageScenario("edge.text.may-be-empty", "An empty name is a name, not an absence.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            check.equal(try await tenancy.storage.token(token.id).name, "", "empty name")
            let named = try await tenancy.storage.update(token.id, TokenChange(name: "x"), at: .noon)
            check.equal(named.name, "x", "name")
            let emptied = try await tenancy.storage.update(token.id, TokenChange(name: ""), at: .noon)
            check.equal(emptied.name, "", "name emptied")
        },
        StorageScenario("edge.text.may-be-long", "A long path and a long sealed key read back whole.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let path = "/v1/" + String(repeating: "a/", count: 16_000)
            let admission = Admission(
                requestID: .sample(1), tokenID: token.id, projectID: token.projectID, admittedAt: .noon,
                method: "POST", path: path)
            try await tenancy.clerk.commit([admission])
            check.equal(try await tenancy.storage.request(.sample(1)).admission.path.count, path.count, "path")
            let change = ProjectChange(key: SealedKey(ciphertext: String(repeating: "k", count: 100_000), hint: "h"))
            let changed = try await tenancy.storage.update(.sample(1), change, at: .noon)
            check.equal(changed.sealedKey.count, 100_000, "sealed key")
        },
        StorageScenario(
            "edge.numbers.hold-64-bits",
            "Caps and durations hold the largest numbers; usage and cost what a lifetime brings."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: .max)
            let end = Settlement(
                outcome: .completed, status: 599, settledAt: .latest, durationMicroseconds: .max,
                sentMicroseconds: .max, firstByteMicroseconds: .max,
                usage: TokenUsage(promptTokens: 1 << 40, completionTokens: 1 << 40),
                cost: NanoDollars(1 << 40), model: "m", requestBytes: .max, responseBytes: .max)
            let admission = Admission.sample(1, of: token, settlement: end)
            check.equal(try await tenancy.clerk.commit([admission]), [.admitted(remaining: .max - 1)], "verdict")
            check.equal(try await tenancy.storage.request(.sample(1)).admission, admission, "request")
            let found = try await tenancy.storage.token(token.id)
            check.equal([found.maxRequests, found.promptTokens, found.cost.amount], [.max, 1 << 40, 1 << 40], "token")
        },
        StorageScenario(
            "edge.numbers.never-overflow", "A usage that no provider can mean stops neither the ledger nor its sums."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let huge = TokenUsage(promptTokens: .max, completionTokens: .max)
            for number in 1...4 {
                try await tenancy.clerk.commit([
                    .sample(number, of: token, settlement: .sample(usage: huge, cost: .max))
                ])
            }
            let found = try await tenancy.storage.token(token.id)
            check.that(found.promptTokens > 0 && found.completionTokens > 0 && found.cost.amount > 0, "sums: \(found)")
            check.equal(try await tenancy.tally(token), Tally(4), "tally")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario("edge.identifiers.use-all-bits", "Identifiers differ in their first bit and in their last.") {
            site, check in
            let storage = try await site.open()
            let edges: [ProjectID] = [
                .init(Identifier(high: 0, low: 0)), .init(Identifier(high: 0, low: 1)),
                .init(Identifier(high: .max, low: .max - 1)), .init(Identifier(high: .max, low: .max)),
            ]
            for (index, id) in edges.enumerated().reversed() {
                try await storage.create(
                    Project(
                        id: id, name: "edge \(index)", sealedKey: "k", keyHint: "h", provider: "openai",
                        createdAt: .noon, updatedAt: .noon))
            }
            check.equal(try await storage.projects(after: nil, limit: 9).map(\.id), edges, "in order")
        },
    ]
}
