import NIOCore
import ProxyDomain
import ProxySettings
import Testing

@testable import ProxyRelay

/// The decisions about further attempts, without sockets and clocks.
@Suite struct AttemptTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let rules = BreakerRules(failures: 3, openFor: .seconds(5))

    @Test func opensAfterFailuresInARowAndLetsOneTry() {
        let breaker = CircuitBreaker()
        #expect([false, false, true] == (0..<3).map { _ in breaker.failed(at: start, rules) })
        #expect(breaker.wait(at: start + .seconds(1), rules) == .seconds(4))
        #expect(breaker.wait(at: start + .seconds(5), rules) == nil, "one may try")
        #expect(breaker.wait(at: start + .seconds(5), rules) == .seconds(5), "a second may not")
        #expect(!breaker.failed(at: start + .seconds(6), rules), "it was open already")
        #expect(breaker.wait(at: start + .seconds(7), rules) == .seconds(4))
        #expect(breaker.wait(at: start + .seconds(11), rules) == nil)
        breaker.answered(at: start + .seconds(11))
        #expect(breaker.wait(at: start + .seconds(11), rules) == nil)
        #expect(!breaker.isTripped)
    }

    @Test func anAnswerBetweenFailuresKeepsItClosed() {
        let breaker = CircuitBreaker()
        for _ in 0..<10 {
            #expect(!breaker.failed(at: start, rules))
            #expect(!breaker.failed(at: start, rules))
            breaker.answered(at: start)
        }
        #expect((0..<50).allSatisfy { _ in !breaker.failed(at: start, BreakerRules(failures: 0)) })
    }

    /// Slow ones of many: the upstream is well.
    @Test func whoWaitsInVainCountsOnlyWhereNobodyIsAnsweredMeanwhile() {
        let breaker = CircuitBreaker()
        breaker.answered(at: start + .seconds(10))
        let (before, after) = (start + .seconds(5), start + .seconds(11))
        #expect((0..<9).allSatisfy { _ in !breaker.failed(at: start + .seconds(35), waitingSince: before, rules) })
        #expect(!breaker.isTripped)
        #expect(
            [false, false, true]
                == (0..<3).map { _ in breaker.failed(at: start + .seconds(41), waitingSince: after, rules) })
    }

    @Test func pausesDoubleUpToTheLongest() {
        let rules = RetryRules(attempts: 9, backoff: .milliseconds(100), longestBackoff: .seconds(1))
        let longest = (1...6).map { rules.pause(afterAttempts: $0, random: 1023) }
        let shortest = (1...6).map { rules.pause(afterAttempts: $0, random: 0) }
        for (number, whole) in [100, 200, 400, 800, 1000, 1000].enumerated() {
            #expect(shortest[number] == .milliseconds(whole / 2))
            #expect(longest[number] > .milliseconds(whole * 99 / 100) && longest[number] <= .milliseconds(whole))
        }
        #expect(rules.pause(afterAttempts: 1000, random: 0) == .milliseconds(500))
    }

    @Test func aBudgetIsAShareOfAllAndTenMore() {
        let budget = RetryBudget()
        #expect((0..<20).filter { _ in budget.take() }.count == 10)
        for _ in 0..<50 { budget.earn(20) }
        #expect((0..<20).filter { _ in budget.take() }.count == 10)
        for _ in 0..<7 { budget.earn(20) }
        #expect((0..<20).filter { _ in budget.take() }.count == 1)
    }

    @Test func attemptsReadBackFromTheirText() {
        let random = UpstreamID(Identifier(high: 7, low: 9))
        let attempts = [
            UpstreamAttempt(provider: "a", upstream: nil, result: .timeout),
            UpstreamAttempt(provider: "b.c-d_1", upstream: random, result: .status(503)),
        ]
        #expect([UpstreamAttempt](text: attempts.text ?? "") == attempts)
        #expect([UpstreamAttempt]().text == nil)
        for text in ["a - 99", "a b 200", "a -", "a - 200 x", "a - soon"] {
            #expect([UpstreamAttempt](text: text) == nil)
        }
    }
}
