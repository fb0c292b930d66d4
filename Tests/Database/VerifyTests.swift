import ProxyDomain
import ProxyStorage
import SQLStorage
import Testing

@Suite("Verifying")
struct VerifyTests {
    private func world() async throws -> (World, Token) {
        let world = try await World.file()
        let token = try await world.token(max: 10)
        let admissions = [world.admission(token, settled: .sample()), world.admission(token)]
        _ = try await world.storage.commit(Batches().next(admissions))
        return (world, token)
    }

    @Test(
        "finds what was planted, and only that",
        arguments: [
            ("UPDATE tokens SET request_count = request_count + 1", ["token-count-equals-rows"]),
            ("DELETE FROM requests WHERE settled_at IS NULL", ["token-count-equals-rows"]),
            ("UPDATE tokens SET prompt_tokens = 0", ["token-prompt-tokens-equal-rows"]),
            ("UPDATE tokens SET completion_tokens = 0", ["token-completion-tokens-equal-rows"]),
            ("UPDATE requests SET cost_nano = 7 WHERE cost_nano IS NOT NULL", ["token-cost-equals-rows"]),
            ("UPDATE tokens SET max_requests = 1", ["token-cap-kept"]),
            ("UPDATE requests SET outcome = NULL", ["request-settled-whole-or-not-at-all"]),
            ("UPDATE requests SET duration_us = -1 WHERE settled_at IS NOT NULL", ["request-figures-not-negative"]),
            ("UPDATE requests SET project_id = 'x'", ["request-has-its-tokens-project"]),
            (
                "UPDATE requests SET token_id = 'x' WHERE settled_at IS NULL",
                ["token-count-equals-rows", "request-has-token"]
            ),
            ("UPDATE ledger_writers SET oldest_open = NULL", ["request-open-is-known-to-a-writer"]),
            ("UPDATE ledger_writers SET oldest_open = 'f'", ["request-open-is-known-to-a-writer"]),
            ("PRAGMA foreign_keys = OFF; DELETE FROM projects", ["token-has-project"]),
        ])
    func planted(sql: String, expected: [String]) async throws {
        let (world, _) = try await world()
        #expect(try await world.broken() == [])
        try await world.sql(sql)
        #expect(try await world.broken() == Set(expected))
        await world.storage.close()
    }

    @Test("names the first few that break an invariant")
    func examples() async throws {
        let (world, token) = try await world()
        try await world.sql("UPDATE tokens SET request_count = 0")
        let finding = try await world.storage.verify().first { !$0.holds }
        #expect(
            finding
                == InvariantFinding(
                    invariant: "token-count-equals-rows", checked: 1, violations: 1, examples: [token.id.text]))
        await world.storage.close()
    }

    @Test("repairs sums of usage that alone are wrong, in one event")
    func wrongSums() async throws {
        let world = try await World.file()
        let token = try await world.token()
        _ = try await world.storage.commit(Batches().next([world.admission(token, settled: .sample())]))
        while try await world.storage.sumUsage(at: noon + .seconds(7200)) {}
        try await world.sql("UPDATE usage_sums SET requests = requests + 1")
        #expect(try await world.broken() == ["usage-sums-equal-rows"])
        let event = AuditEvent(
            id: .fresh(), at: noon, action: "database.repair", actor: "somebody", outcome: .success, method: "",
            path: "", requestID: "", clientAddress: "")
        let repairs = try await world.storage.recording(event).repair(isDryRun: false)
        #expect(repairs.map(\.counter) == ["usage_sums"])
        #expect(
            try await world.storage.auditEvent(event.id).metadata
                == ["counters": "1", "tokens": "1", "projects": "0"])
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("does not blame a cap that was lowered below what was used")
    func loweredCap() async throws {
        let (world, token) = try await world()
        _ = try await world.storage.update(token.id, TokenChange(maxRequests: 1), at: noon)
        #expect(try await world.broken() == [])
        try await world.sql("UPDATE tokens SET request_count = request_count + 1")
        #expect(try await world.broken() == ["token-cap-kept", "token-count-equals-rows"])
        await world.storage.close()
    }
}
