import ProxyDomain
import Synchronization

/// Counts changes to projects and tokens, so that caches know when what they hold is old.
public final class GrantEpoch: Sendable {
    private let value = Atomic<UInt64>(0)
    /// The most changes that the database was heard to have counted.
    private let known = Atomic<Int64>(-1)

    public init() {}

    /// Makes every loop forget its grants before its next look-up. Call after the change is committed.
    public func advance() { value.add(1, ordering: .releasing) }

    /// The same, if the database has counted more changes than were known of; called from any thread.
    /// - Returns: whether it has.
    @discardableResult
    public func advance(to changes: Int64) -> Bool {
        guard known.load(ordering: .acquiring) < changes else { return false }
        // First, so that nobody finds the number known and the grants of before still kept. Of two that come at once both
        // may advance, which costs a look-up.
        advance()
        known.max(changes, ordering: .releasing)
        return true
    }

    var current: UInt64 { value.load(ordering: .acquiring) }
}

/// Grants that one event loop has met. Confined to that loop.
struct GrantCache {
    enum Entry {
        case known(Grant)
        case unknownToken
    }

    /// Entries kept of each kind; on overflow all of that kind are dropped, since they are cheap to find again.
    static let bound = 10_000

    private let epoch: GrantEpoch
    private var seen: UInt64
    private var known: [TokenSecret: Grant] = [:]
    /// Apart from the known, so that a flood of guesses drives no grant out.
    private var unknown: Set<TokenSecret> = []

    init(epoch: GrantEpoch) {
        self.epoch = epoch
        seen = epoch.current
    }

    mutating func entry(for secret: TokenSecret) -> Entry? {
        forgetIfOld()
        if let grant = known[secret] { return .known(grant) }
        return unknown.contains(secret) ? .unknownToken : nil
    }

    /// What to give back with ``store(_:for:asOf:)``.
    var currentEpoch: UInt64 { epoch.current }

    /// Keeps an answer, unless something has changed since it was asked for.
    mutating func store(_ entry: Entry, for secret: TokenSecret, asOf asked: UInt64) {
        forgetIfOld()
        guard asked == seen else { return }
        switch entry {
        case .known(let grant):
            if known.count >= Self.bound { known.removeAll(keepingCapacity: true) }
            known[secret] = grant
        case .unknownToken:
            if unknown.count >= Self.bound { unknown.removeAll(keepingCapacity: true) }
            unknown.insert(secret)
        }
    }

    private mutating func forgetIfOld() {
        let current = epoch.current
        guard current != seen else { return }
        seen = current
        known.removeAll(keepingCapacity: true)
        unknown.removeAll(keepingCapacity: true)
    }
}
