package import ProxyDomain

/// Decides how many wrong credentials one address may try: ten at once, then one in six seconds.
///
/// A plain value: the caller gives the time and keeps it safe from others. Holds at most ``capacity`` addresses.
package struct FailureThrottle: Sendable {
    /// Wrong tries that an address has at once.
    package static let burst = 10
    /// After this time one try more is allowed.
    package static let refill = Duration.seconds(6)
    /// Addresses remembered at most.
    package static let capacity = 4096

    private static let wholeBurst = refill * burst

    /// For each address, when all of its tries will be there again.
    private var fullAgain: [String: Timestamp] = [:]

    package init() {}

    /// How long `address` must wait before its next try is looked at; `nil` when it need not wait.
    package func wait(for address: String, at now: Timestamp) -> Duration? {
        let missing = debt(of: address, at: now) + Self.refill - Self.wholeBurst
        return missing > .zero ? missing : nil
    }

    /// Counts a wrong try.
    package mutating func recordFailure(from address: String, at now: Timestamp) {
        let debt = debt(of: address, at: now) + Self.refill
        if fullAgain[address] == nil, fullAgain.count >= Self.capacity { makeRoom(at: now) }
        fullAgain[address] = now + min(debt, Self.wholeBurst)
    }

    package var addresses: Int { fullAgain.count }

    /// The time until all tries are there again. Held within its range, also when the clock was set back.
    private func debt(of address: String, at now: Timestamp) -> Duration {
        guard let instant = fullAgain[address] else { return .zero }
        return min(max(instant - now, .zero), Self.wholeBurst)
    }

    /// Forgets addresses that owe nothing; when all owe something, the one that owes least.
    private mutating func makeRoom(at now: Timestamp) {
        fullAgain = fullAgain.filter { $0.value > now }
        guard fullAgain.count >= Self.capacity, let least = fullAgain.min(by: { $0.value < $1.value }) else { return }
        fullAgain[least.key] = nil
    }
}
