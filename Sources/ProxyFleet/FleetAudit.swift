import ProxyLoad

/// What everybody counted of one run, side by side.
public struct FleetAudit: Hashable, Sendable {
    /// Written to a connection by the load.
    public let sent: Int
    /// Answered with success, whole, as the load saw it.
    public let acknowledged: Int
    /// That reached the upstream, as it says itself.
    public let served: Int
    /// In the counters of the tokens.
    public let counted: Int
    /// Tokens of all answers, as the upstream says.
    public let tokensServed: Int
    /// Tokens in the counters.
    public let tokensCounted: Int
    /// Requests beyond a token's cap.
    public let overAdmitted: Int
    /// Whether counters and rows agree in the database, and all else that must hold does; `nil` for a database in memory, which
    /// nobody else can read.
    public let isSound: Bool?
    /// Whether each server ended in order when it was asked to.
    public let serversEnded: Bool

    init(
        sent: Int, acknowledged: Int, truth: UpstreamTruth, counted: FleetTenants.Counted, isSound: Bool?,
        serversEnded: Bool, hasLostServer: Bool
    ) {
        self.sent = sent
        self.acknowledged = acknowledged
        served = truth.requests
        self.counted = counted.requests
        tokensServed = truth.tokens
        tokensCounted = counted.tokens
        overAdmitted = counted.overAdmitted
        self.isSound = isSound
        self.serversEnded = serversEnded
        self.hasLostServer = hasLostServer
        // Who leaves before the end of an answer is billed what was seen.
        allCameWhole = truth.completed == truth.requests && truth.requests == counted.requests
    }

    /// Whether the upstream has given each answer to its end, and each is in the counters.
    private let allCameWhole: Bool
    /// Whether one was killed: what it had under way may have been served and not counted, or counted and not served.
    private let hasLostServer: Bool

    /// Acknowledged to a client, or served by the upstream, and not counted. Of a server that was killed only the former counts.
    public var lost: Int { max(0, (hasLostServer ? acknowledged : max(acknowledged, served)) - counted) }
    /// Counted more often than the upstream served or the load sent; what a killed server had under way may be counted and not served.
    public var duplicated: Int {
        max(0, counted - sent, counted - served - (hasLostServer ? sent - acknowledged : 0))
    }
    /// By how many tokens the counters are off; `nil` when nobody knows: not every answer of the upstream came to its end, or a server
    /// was killed, and what it had not written down of ended requests is estimated.
    public var tokenDifference: Int? {
        allCameWhole && !hasLostServer ? abs(tokensServed - tokensCounted) : nil
    }
    public var isExact: Bool {
        lost == 0 && duplicated == 0 && overAdmitted == 0 && (tokenDifference ?? 0) == 0 && isSound != false
            && serversEnded
    }

    /// For thresholds.
    public var figures: [String: Double] {
        var figures = ["lost": Double(lost), "duplicated": Double(duplicated), "over_admitted": Double(overAdmitted)]
        figures["token_difference"] = tokenDifference.map { Double($0) }
        figures["sound"] = isSound.map { $0 ? 1 : 0 }
        return figures
    }

    /// For people.
    public var text: String {
        let verdict =
            isExact ? "exact" : "DIFFERS: lost \(lost), duplicated \(duplicated), over-admitted \(overAdmitted)"
        return """
            counted: \(verdict)
              \(sent) sent, \(acknowledged) acknowledged, \(served) reached the upstream, \(counted) in counters
              \(tokensServed) tokens served, \(tokensCounted) in counters\(tokenDifference == nil ? ", not compared: not every answer of the upstream came to its end, or a server was killed" : "")
              counters and rows \(isSound.map { $0 ? "agree" : "DISAGREE" } ?? "can't be compared in memory"); servers \(serversEnded ? "ended in order" : "DID NOT END IN ORDER")
            """
    }

    public var json: String {
        #"{"sent":\#(sent),"acknowledged":\#(acknowledged),"served":\#(served),"counted":\#(counted),"#
            + #""tokens_served":\#(tokensServed),"tokens_counted":\#(tokensCounted),"tokens_compared":\#(tokenDifference != nil),"lost":\#(lost),"#
            + #""duplicated":\#(duplicated),"over_admitted":\#(overAdmitted),"sound":\#(isSound.map { "\($0)" } ?? "null"),"#
            + #""servers_ended":\#(serversEnded),"exact":\#(isExact)}"#
    }
}
