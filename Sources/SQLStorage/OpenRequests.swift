import ProxyDomain
import ProxyStorage
import Synchronization

/// The requests this process admitted and has not settled, and which of them is the oldest.
///
/// Kept so that the database needs no index of open requests: a server that starts after a crash looks for them from
/// the oldest on. Costs a fraction of a microsecond per request where the index cost three. May hold more than is
/// open, never less; its size is bounded by what is open.
struct OpenRequests {
    private var open: Set<RequestID> = []
    /// A binary heap. May hold identifiers that are no longer open; they are dropped when they come to the top.
    private var heap: [RequestID] = []

    var count: Int { open.count }

    mutating func insert(_ id: RequestID) {
        guard open.insert(id).inserted else { return }
        heap.append(id)
        rise(heap.count - 1)
    }

    mutating func remove(_ id: RequestID) {
        guard open.remove(id) != nil else { return }
        // One old stream would keep all that ended after it.
        if heap.count > 2 * open.count + 1024 { heap = open.sorted() }
    }

    /// The smallest identifier among them.
    mutating func oldest() -> RequestID? {
        while let top = heap.first, !open.contains(top) {
            let last = heap.removeLast()
            if heap.isEmpty { break }
            heap[0] = last
            sink()
        }
        return heap.first
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard heap[place] < heap[parent] else { return }
            heap.swapAt(place, parent)
            place = parent
        }
    }

    private mutating func sink() {
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < heap[place] else { return }
            heap.swapAt(place, child)
            place = child
        }
    }
}

/// What the ledger's writers remember between batches, and on whichever database they write: an admission is open until it has ended.
final class LedgerMemory: Sendable {
    private struct State {
        var open = OpenRequests()
        /// Whose oldest open request from before our time is in `inherited`.
        var instance: InstanceID?
        var inherited: RequestID?
    }

    private let state = Mutex(State())

    func knows(_ instance: InstanceID) -> Bool { state.withLock { $0.instance == instance } }

    /// Takes over what a writer of the same instance left open.
    func inherit(_ left: RequestID?, from instance: InstanceID) {
        state.withLock { state in
            if let left { state.inherited = min(state.inherited ?? left, left) }
            state.instance = instance
        }
    }

    /// No request that is open after this batch has a smaller identifier.
    func oldestOpen(with admissions: [Admission]) -> RequestID? {
        state.withLock { state in
            var oldest = state.inherited
            func take(_ id: RequestID) { oldest = oldest.map { min($0, id) } ?? id }
            if let known = state.open.oldest() { take(known) }
            for index in admissions.indices where admissions[index].isOpen { take(admissions[index].requestID) }
            return oldest
        }
    }

    func change(_ body: (inout OpenRequests) -> Void) { state.withLock { body(&$0.open) } }
}
