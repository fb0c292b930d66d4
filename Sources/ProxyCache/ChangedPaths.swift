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

    private struct State {
        var latest: [Resource: Timestamp] = [:]
        /// Of paths that are not known any more, the latest change.
        var latestForgotten: Timestamp?
    }

    private let state = Mutex(State())
    private let most: Int

    /// - Parameter most: how many paths are known one by one. Where there are more, all that was given before then counts as changed.
    public init(most: Int = 8192) { self.most = most }

    /// Something was changed.
    /// - Parameter project: whose; `nil` for all.
    /// - Returns: whether it is the first change there that is known.
    public func note(_ project: ProjectID?, _ path: String, at now: Timestamp) -> Bool {
        state.withLock { state in
            if state.latest.count >= most {
                state.latest.removeAll()
                state.latestForgotten = now
            }
            return state.latest.updateValue(now, forKey: Resource(project: project, path: path)) == nil
        }
    }

    /// Whether what GET gave may be another by now.
    public func hasChanged(since response: StoredResponse) -> Bool {
        guard response.request.method == "GET" else { return false }
        let path = String(response.request.path)
        return state.withLock { state in
            let changes = [
                state.latest[Resource(project: response.request.project, path: path)],
                state.latest[Resource(project: nil, path: path)], state.latestForgotten,
            ]
            return changes.contains { $0.map { response.storedAt <= $0 } ?? false }
        }
    }
}
