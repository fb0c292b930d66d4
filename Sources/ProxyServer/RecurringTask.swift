import Synchronization

/// Work that is done again and again beside serving, until the server stops.
final class RecurringTask: Sendable {
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Begins, unless it has begun. `work` gives how long to rest before it is done again.
    func start(_ work: @escaping @Sendable () async -> Duration) {
        task.withLock { task in
            guard task == nil else { return }
            task = Task {
                while !Task.isCancelled {
                    let rest = await work()
                    try? await Task.sleep(for: rest)
                }
            }
        }
    }

    /// Ends after the work at hand.
    /// - Returns: whether it had begun.
    @discardableResult
    func stop() async -> Bool {
        guard let task = task.withLock({ $0 }) else { return false }
        task.cancel()
        await task.value
        return true
    }
}
