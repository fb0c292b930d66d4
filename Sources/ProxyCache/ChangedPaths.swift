public import ProxyDomain
import Synchronization

/// When this server last passed on a change at a path: what GET gave there before is in its memory no more, but may still be where
/// several servers hold answers together (RFC 9111 section 4.4).
public final class ChangedPaths: Sendable {
    private struct Resource: Hashable {
        /// `nil` for those of all projects.
        let project: ProjectID?
        let path: String
    }

    private struct Change {
        var at: Timestamp
        /// Whether something was kept since it was looked for there.
        var isToBeLookedFor = false
    }

    private struct State {
        var latest: [Resource: Change] = [:]
        /// Of paths that are not known any more, the latest change.
        var latestForgotten: Timestamp?
    }

    private let state = Mutex(State())
    private let most: Int

    /// - Parameter most: how many paths are known one by one. Where there are more, all that was given before then counts as changed.
    public init(most: Int = 8192) { self.most = most }

    /// Something was changed.
    /// - Parameter project: whose; `nil` for all.
    /// - Returns: whether there may be something to forget: it is the first change there that is known, or something was kept since.
    public func note(_ project: ProjectID?, _ path: String, at now: Timestamp) -> Bool {
        let resource = Resource(project: project, path: path)
        return state.withLock { state in
            let known = state.latest[resource]
            if known == nil, state.latest.count >= most {
                state.latest.removeAll()
                state.latestForgotten = now
            }
            state.latest[resource] = Change(at: now)
            return known?.isToBeLookedFor ?? true
        }
    }

    /// Something that was given at a path is kept, or may still be: the next change there is to look for it.
    public func noteKept(_ project: ProjectID?, _ path: String) {
        state.withLock { state in
            for each in [project, nil] { state.latest[Resource(project: each, path: path)]?.isToBeLookedFor = true }
        }
    }

    /// Whether what GET gave may be another by now.
    public func hasChanged(since response: StoredResponse) -> Bool {
        guard response.request.method == "GET" else { return false }
        let path = String(response.request.path)
        return state.withLock { state in
            let changes = [
                state.latest[Resource(project: response.request.project, path: path)]?.at,
                state.latest[Resource(project: nil, path: path)]?.at, state.latestForgotten,
            ]
            return changes.contains { $0.map { response.storedAt <= $0 } ?? false }
        }
    }
}
