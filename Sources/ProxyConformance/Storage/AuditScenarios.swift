import ProxyDomain
import ProxyStorage

extension AuditEvent {
    /// An event nobody cares about except for what is said here.
    static func sample(
        _ number: Int, action: String = "token.create", outcome: Outcome = .success, project: ProjectID? = nil,
        metadata: [String: String] = [:]
    ) -> AuditEvent {
        AuditEvent(
            id: .sample(number), at: .noon(plus: Int64(number)), action: action, actor: "somebody", outcome: outcome,
            method: "POST", path: "/manage/tokens", requestID: "request-\(number)", clientAddress: "192.0.2.\(number)",
            projectID: project, metadata: metadata)
    }
}

extension StorageScenario {
    /// What the audit promises.
    static let audit: [StorageScenario] = [
        StorageScenario("audit.record.reads-back", "An event reads back as it was, whatever is in it.") { site, check in
            let storage = try await site.open()
            let full = AuditEvent(
                id: .sample(1), at: .noon, action: "project.update", actor: "ann o'hara", outcome: .refused,
                method: "PATCH", path: "/manage/projects/%7E\u{E9}", requestID: "r", correlationID: "c-1",
                clientAddress: "2001:db8::1", projectID: .sample(2), tokenID: .sample(3),
                metadata: ["quote": "\"a\\b\"", "line": "a\nb\tc", "empty": "", "sign": "\u{1F511}\u{1}", "n\"m": "1"])
            let plain = AuditEvent.sample(2)
            for event in [full, plain] { try await storage.record(event) }
            check.equal(try await storage.auditEvent(full.id), full, "the full one")
            check.equal(try await storage.auditEvent(plain.id), plain, "the plain one")
            check.equal(
                try await storage.auditEvents(AuditFilter(), skipping: 0, limit: 9).events, [plain, full],
                "all, the latest first")
            await check.fails(.notFound, "nobody's") { try await storage.auditEvent(.sample(9)) }
        },
        StorageScenario(
            "audit.change.has-its-event", "A change and its event are there together, or neither of them is."
        ) { site, check in
            let storage = try await site.open()
            let (first, second) = (AuditEvent.sample(1), AuditEvent.sample(2))
            try await storage.recording(first).create(Project.sample(1))
            await check.fails(.alreadyExists(field: "name"), "the same name") {
                try await storage.recording(second).create(Project.sample(2, name: "project 1"))
            }
            await check.fails(.notFound, "no such token") {
                try await storage.recording(second).revoke(.sample(9), at: .noon)
            }
            check.equal(
                try await storage.auditEvents(AuditFilter(), skipping: 0, limit: 9).events, [first], "events")
            await check.fails(.alreadyExists(field: "id"), "the same event") {
                try await storage.recording(first).create(Project.sample(3))
            }
            check.equal(try await storage.projects(after: nil, limit: 9).map(\.id), [.sample(1)], "projects")
        },
        StorageScenario(
            "audit.search.finds-words-and-metadata",
            "Words are found whole, in any case and any part of an event; metadata by its name and value; all that is asked must hold (G17)."
        ) { site, check in
            let storage = try await site.open()
            let events: [AuditEvent] = [
                .sample(1, project: .sample(1), metadata: ["name": "Caf\u{E9} M\u{FC}nchen", "fields": "name,limits"]),
                .sample(2, action: "project.update", metadata: ["name": "cafe", "upstream-id": "42"]),
                .sample(3, outcome: .refused, metadata: ["note": "and or not near NEAR(a b) * \" ' $1 %"]),
                .sample(4, project: .sample(2), metadata: ["name": "\u{6771}\u{4EAC} v2.5"]),
            ]
            for event in events { try await storage.record(event) }
            for (words, found) in searches {
                var filter = AuditFilter()
                filter.words = words
                let page = try await storage.auditEvents(filter, skipping: 0, limit: 9)
                check.equal(page.events.map(\.id), found.map { .sample($0) }, "events with '\(words)'")
                check.equal(page.total, found.count, "how many with '\(words)'")
            }
            var filter = AuditFilter()
            filter.metadata = ("name", "cafe")
            check.equal(try await storage.found(filter), [.sample(2)], "a member of that value")
            filter.metadata = ("upstream-id", "42")
            check.equal(try await storage.found(filter), [.sample(2)], "a member with a dash")
            filter.action = "token.create"
            check.equal(try await storage.found(filter), [], "and an action that it isn't")
            filter = AuditFilter()
            (filter.projectID, filter.words) = (.sample(2), "token")
            check.equal(try await storage.found(filter), [.sample(4)], "a project's, with a word")
            filter = AuditFilter()
            (filter.since, filter.until) = (.noon(plus: 2), .noon(plus: 3))
            check.equal(
                try await storage.found(filter), [.sample(3), .sample(2)], "in a span of time, its ends included")
            filter.outcome = .refused
            check.equal(try await storage.found(filter), [.sample(3)], "refused ones of it")
            filter = AuditFilter()
            (filter.requestID, filter.clientAddress) = ("request-4", "192.0.2.4")
            check.equal(try await storage.found(filter), [.sample(4)], "by request and address")
        },
        StorageScenario("audit.pages.are-whole", "Pages follow each other without a gap, the latest events first.") {
            site, check in
            let storage = try await site.open()
            for number in 1...5 { try await storage.record(.sample(number)) }
            let pages: [(skipped: Int, found: [Int])] = [(0, [5, 4]), (2, [3, 2]), (4, [1]), (6, [])]
            for (skipped, found) in pages {
                let page = try await storage.auditEvents(AuditFilter(), skipping: skipped, limit: 2)
                check.equal(page.events.map(\.id), found.map { .sample($0) }, "after \(skipped)")
                check.equal(page.total, 5, "how many in all")
            }
        },
        StorageScenario(
            "audit.chain.survives-company", "Events of many at once form one chain, and each is in it once."
        ) { site, check in
            let storage = try await site.open()
            try await withThrowingTaskGroup { group in
                for number in 1...40 { group.addTask { try await storage.record(.sample(number)) } }
                try await group.waitForAll()
            }
            let chain = try await storage.verify().first { $0.invariant == "audit-chain-unbroken" }
            check.equal(chain?.checked, 40, "events in the chain")
            check.equal(chain?.violations, 0, "breaks")
        },
        StorageScenario(
            "audit.chain.finds-changes",
            "An event that was changed is found, and one that was taken out: from within, and from the end.",
            needs: .tampering
        ) { site, check in
            let storage = try await site.open()
            for number in 1...6 { try await storage.record(.sample(number)) }
            try await site.harm(.changesEvent(.sample(2)))
            try await site.harm(.losesEvent(.sample(4)))
            try await site.harm(.losesEvent(.sample(6)))
            let broken = try await storage.verify().filter { !$0.holds }
            check.equal(broken.map(\.invariant), ["audit-chain-unbroken"], "broken invariants")
            check.equal(
                broken.first?.examples,
                [AuditEventID.sample(2).text, AuditEventID.sample(5).text, "end of the chain"], "where")
        },
        StorageScenario(
            "audit.repair.has-its-event",
            "A repair of several counters is one event that tells how many; one that finds nothing, or only tells, is none.",
            needs: .tampering
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let storage = tenancy.storage
            let tokens = [try await tenancy.issue(1), try await tenancy.issue(2)]
            try await tenancy.admit(1...2, of: tokens[0])
            let sound = try await storage.recording(.sample(1)).repair(isDryRun: false)
            check.equal(sound, [], "repairs of what is sound")
            for token in tokens { try await site.harm(.countsOneTooMany(token.id)) }
            try await site.harm(.countsOnePromptTokenTooMany(tokens[0].id))
            let told = try await storage.recording(.sample(2)).repair(isDryRun: true)
            let event = AuditEvent.sample(3, metadata: ["note": "by hand"])
            let repairs = try await storage.recording(event).repair(isDryRun: false)
            check.equal(repairs, told, "repairs, as they were told")
            check.equal(repairs.map(\.counter), ["request_count", "prompt_tokens", "request_count"], "counters")
            check.equal(try await storage.recording(.sample(4)).repair(isDryRun: false), [], "repairs a second time")
            let wanted = event.adding(["counters": "3", "tokens": "2", "projects": "0"])
            let events = try await storage.auditEvents(AuditFilter(), skipping: 0, limit: 9).events
            check.equal(events, [wanted], "events")
            check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "audit.prune.keeps-the-chain", "The oldest events may go; what is left is a chain still, and goes on."
        ) { site, check in
            let storage = try await site.open()
            check.equal(try await storage.pruneAudit(before: .noon, atMost: 10), 0, "removed of nothing")
            for number in 1...5 { try await storage.record(.sample(number)) }
            check.equal(try await storage.pruneAudit(before: .noon(plus: 4), atMost: 2), 2, "removed at first")
            check.equal(try await storage.pruneAudit(before: .noon(plus: 4), atMost: 2), 1, "removed then")
            check.equal(try await storage.pruneAudit(before: .noon(plus: 4), atMost: 2), 0, "removed in the end")
            try await storage.record(.sample(6, metadata: ["name": "last"]))
            check.equal(try await storage.found(AuditFilter()), [.sample(6), .sample(5), .sample(4)], "what is left")
            var filter = AuditFilter()
            filter.words = "somebody"
            check.equal(try await storage.found(filter).count, 3, "what is found by a word")
            check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
    ]

    /// Words, and the numbers of the events that have them, the latest first.
    private static let searches: [(String, [Int])] = [
        ("somebody", [4, 3, 2, 1]), ("cafe", [2]), ("caf\u{E9}", [1]), ("CAF\u{C9} m\u{DC}NCHEN", [1]),
        ("m\u{FC}nchen tokens", [1]), ("caf", []), ("token", [4, 3, 1]), ("token.create", [4, 3, 1]),
        ("project update", [2]), ("limits", [1]), ("and", [3]), ("NOT or", [3]), ("near(a", [3]), ("\"", []),
        ("*", []), ("\u{6771}\u{4EAC}", [4]), ("\u{6771}", []), ("v2", [4]), ("2.5", [4]), ("5", [4]),
        ("request-3", [3]), ("192.0.2.1", [3, 1]), ("refused", [3]), ("upstream", [2]),
    ]
}

extension AuditStore {
    fileprivate func found(_ filter: AuditFilter) async throws(StorageError) -> [AuditEventID] {
        try await auditEvents(filter, skipping: 0, limit: 100).events.map(\.id)
    }
}
