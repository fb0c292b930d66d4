import Testing

@testable import ProxyFleet

/// What a run's audit makes of counts that differ.
@Suite("The audit of a run")
struct FleetAuditTests {
    private func audit(
        sent: Int = 100, acknowledged: Int = 100, served: Int = 100, completed: Int? = nil, counted: Int = 100,
        tokens: (served: Int, counted: Int) = (700, 700), overAdmitted: Int = 0, isSound: Bool? = true,
        serversEnded: Bool = true, hasLostServer: Bool = false
    ) -> FleetAudit {
        FleetAudit(
            sent: sent, acknowledged: acknowledged,
            truth: UpstreamTruth(
                requests: served, completed: completed ?? served, prompt_tokens: tokens.served, completion_tokens: 0),
            counted: FleetTenants.Counted(
                requests: counted, promptTokens: tokens.counted, completionTokens: 0, overAdmitted: overAdmitted),
            isSound: isSound, serversEnded: serversEnded, hasLostServer: hasLostServer)
    }

    @Test func isExactWhereAllAgree() {
        #expect(audit().isExact && audit(isSound: nil).isExact)
        #expect(audit(sent: 110).isExact, "what a limit refuses is sent, and no more")
    }

    @Test func tellsWhatIsLost() {
        #expect(audit(counted: 99).lost == 1 && !audit(counted: 99).isExact)
        #expect(audit(acknowledged: 90, served: 98, counted: 95).lost == 3, "served and not counted")
    }

    @Test func tellsWhatIsCountedTwice() {
        #expect(audit(counted: 101).duplicated == 1 && !audit(counted: 101).isExact)
        let sentTwice = audit(served: 110, counted: 110)
        #expect(sentTwice.duplicated == 10 && !sentTwice.isExact, "each attempt was counted")
    }

    @Test func tellsOfTokensAndOfAllElse() {
        #expect(audit(tokens: (700, 693)).tokenDifference == 7 && !audit(tokens: (700, 693)).isExact)
        #expect(audit(completed: 99, tokens: (700, 693)).tokenDifference == nil)
        #expect(
            !audit(overAdmitted: 1).isExact && !audit(isSound: false).isExact && !audit(serversEnded: false).isExact)
    }

    /// What it had under way may have been served and not counted, or counted and not acknowledged: never acknowledged and not counted.
    @Test func allowsALostServerWhatItHadUnderWay() {
        #expect(audit(acknowledged: 97, served: 100, counted: 98, hasLostServer: true).isExact)
        #expect(audit(acknowledged: 97, served: 97, counted: 100, hasLostServer: true).isExact)
        #expect(audit(acknowledged: 97, served: 97, counted: 96, hasLostServer: true).lost == 1)
        #expect(audit(acknowledged: 97, served: 96, counted: 100, hasLostServer: true).duplicated == 1)
    }
}
