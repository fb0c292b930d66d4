package import ProxyDomain

/// How many refused credentials are recorded: each is a write to the database, which anybody can cause. Those beyond are counted, and
/// told with the next one that is recorded.
package struct RefusalBudget: Sendable {
    /// Most in a minute, from all addresses.
    package static let perMinute = 60

    private var began: Timestamp?
    private var taken = 0
    private var skipped = 0

    package init() {}

    /// - Returns: how many were skipped before this one; `nil` when this one is skipped too.
    package mutating func take(at now: Timestamp) -> Int? {
        if began.map({ now - $0 >= .seconds(60) || now < $0 }) ?? true { (began, taken) = (now, 0) }
        guard taken < Self.perMinute else {
            skipped += 1
            return nil
        }
        taken += 1
        defer { skipped = 0 }
        return skipped
    }
}
