import PostgresDriver
import ProxyFixtures
import SQLDatabase
import Testing

@Suite("Reaching an engine again")
struct ReconnectTests {
    private var decisions = ReconnectDecisions(limits: .init(shortest: .milliseconds(20), longest: .seconds(1)))

    @Test("a reachable engine is connected to by all at once")
    mutating func reachable() {
        for _ in 1...3 { #expect(decisions.ask(now: .zero) == .connect) }
    }

    @Test("after a failure one tries, once the delay is over, and the others wait for what comes of it")
    mutating func oneTries() {
        decisions.failed(now: .zero, chance: 0.5)
        #expect(decisions.ask(now: .milliseconds(14)) == .wait(until: .milliseconds(15)))
        #expect(decisions.ask(now: .milliseconds(15)) == .connect)
        #expect(decisions.ask(now: .milliseconds(16)) == .wait(until: .milliseconds(36)))
        decisions.succeeded()
        #expect(decisions.ask(now: .milliseconds(17)) == .connect)
        #expect(decisions.ask(now: .milliseconds(17)) == .connect)
    }

    @Test("the delay doubles with each failure up to the longest, and begins anew after a success")
    mutating func backOff() {
        var now = Duration.zero
        var delays: [Duration] = []
        for _ in 1...8 {
            decisions.failed(now: now, chance: 0)
            guard case .wait(let until) = decisions.ask(now: now) else {
                Issue.record("no delay")
                return
            }
            delays.append(until - now)
            now = until
            #expect(decisions.ask(now: now) == .connect)
        }
        #expect(delays == [10, 20, 40, 80, 160, 320, 500, 500].map { .milliseconds($0) })
        decisions.succeeded()
        decisions.failed(now: now, chance: 0)
        #expect(decisions.ask(now: now) == .wait(until: now + .milliseconds(10)))
    }

    @Test("several that fail together count as one failure")
    mutating func together() {
        for _ in 1...5 { decisions.failed(now: .zero, chance: 0) }
        #expect(decisions.ask(now: .zero) == .wait(until: .milliseconds(10)))
    }

    @Test("chance spreads the tries over the second half of the delay")
    mutating func jitter() {
        decisions.failed(now: .zero, chance: 0.999)
        guard case .wait(let until) = decisions.ask(now: .zero) else {
            Issue.record("no delay")
            return
        }
        #expect(until > .milliseconds(19) && until < .milliseconds(20))
    }

    @Test("a pool outlives its server: calls wait, fail in time, and work again when it is back")
    func restart() async throws {
        let server = try EphemeralPostgres.start()
        defer { server.remove() }
        let pool = try await PostgresDatabase.open(
            try PostgresAddress(server.url(database: "postgres")), limits: .init(readers: 2, wait: .milliseconds(200)),
            options: .init(connectTimeout: .seconds(60)))
        // Its first connection may take longer than a call waits.
        try await eventually { (try? await pool.value("SELECT 1")) == "1" }
        server.halt(.immediate)
        let away = await pool.failure { try $0.run(SQLStatement("SELECT 1")) }
        #expect(away?.kind == .connectionLost)
        try server.resume()
        let patient = try await PostgresDatabase.open(
            try PostgresAddress(server.url(database: "postgres")), limits: .init(readers: 1), patience: .seconds(60))
        await patient.close()
        try await eventually { (try? await pool.value("SELECT 1")) == "1" }
        // A call that comes while the server is away, and is patient enough, never notices.
        let longer = try await PostgresDatabase.open(
            try PostgresAddress(server.url(database: "postgres")), limits: .init(readers: 2, wait: .seconds(20)),
            options: .init(connectTimeout: .seconds(60)))
        #expect(try await longer.value("SELECT 1") == "1")
        server.halt(.fast)
        async let answer = longer.value("SELECT 7")
        try server.resume()
        #expect(try await answer == "7")
        await longer.close()
        await pool.close()
    }
}
