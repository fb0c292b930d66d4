import ProxyDomain
import ProxyManagement
import Testing

@Suite struct ManagementThrottleTests {
    private let start = Timestamp(milliseconds: 1_795_000_000_000)

    @Test func anAddressHasTenTriesAndThenOneInSixSeconds() {
        var throttle = FailureThrottle()
        for _ in 0..<10 {
            #expect(throttle.wait(for: "a", at: start) == nil)
            throttle.recordFailure(from: "a", at: start)
        }
        #expect(throttle.wait(for: "a", at: start) == .seconds(6))
        #expect(throttle.wait(for: "b", at: start) == nil)
        #expect(throttle.wait(for: "a", at: start + .milliseconds(5999)) == .milliseconds(1))
        #expect(throttle.wait(for: "a", at: start + .seconds(6)) == nil)
        throttle.recordFailure(from: "a", at: start + .seconds(6))
        #expect(throttle.wait(for: "a", at: start + .seconds(6)) == .seconds(6))
    }

    @Test func aClockSetBackLocksNobodyOutForLong() {
        var throttle = FailureThrottle()
        for _ in 0..<10 { throttle.recordFailure(from: "a", at: start) }
        #expect(throttle.wait(for: "a", at: start + .seconds(-86_400)) == .seconds(6))
    }

    @Test func itsMemoryIsBoundedAndKeepsTheWorst() {
        var throttle = FailureThrottle()
        for _ in 0..<10 { throttle.recordFailure(from: "worst", at: start) }
        for number in 0..<FailureThrottle.capacity * 2 { throttle.recordFailure(from: "\(number)", at: start) }
        #expect(throttle.addresses == FailureThrottle.capacity)
        #expect(throttle.wait(for: "worst", at: start) != nil)
        throttle.recordFailure(from: "later", at: start + .seconds(3600))
        #expect(throttle.addresses == 1)
    }

    @Test func sixtyRefusalsAMinuteAreRecordedAndTheOthersCounted() {
        var budget = RefusalBudget()
        for _ in 0..<RefusalBudget.perMinute { #expect(budget.take(at: start) == 0) }
        for _ in 0..<7 { #expect(budget.take(at: start + .milliseconds(59_999)) == nil) }
        #expect(budget.take(at: start + .seconds(60)) == 7)
        #expect(budget.take(at: start + .seconds(60)) == 0)
        // A clock that was set back begins a new minute.
        #expect(budget.take(at: start + .seconds(-86_400)) == 0)
    }

    @Test func wrongTokensAreThrottledByAddressAndTheRightOneToo() async throws {
        let bench = try ManagementBench()
        for _ in 0..<10 { #expect(await bench.send("GET", "/manage/projects", token: "wrong").status == 401) }
        let refused = await bench.send("GET", "/manage/projects")
        #expect(refused.status == 429 && refused.code == "too_many_attempts" && refused.field("Retry-After") == "6")
        #expect(await bench.send("GET", "/manage/projects", from: "192.0.2.2").status == 200)
        #expect(await bench.send("GET", "/health", token: nil).status == 200)
        bench.pass(.seconds(6))
        #expect(await bench.send("GET", "/manage/projects").status == 200)
    }

    @Test func callersWithoutAnyTokenAreNotCountedAsGuessing() async throws {
        let bench = try ManagementBench()
        for _ in 0..<30 { #expect(await bench.send("GET", "/manage/projects", token: nil).status == 401) }
        #expect(await bench.send("GET", "/manage/projects").status == 200)
    }
}
