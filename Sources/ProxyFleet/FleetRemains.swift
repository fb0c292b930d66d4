import Synchronization

/// What a run has started and made, so that one that is interrupted leaves nothing behind. May be used from any thread.
public final class FleetRemains: Sendable {
    private struct State {
        var processes: [ChildProcess] = []
        var folders: [FleetFolder] = []
    }

    private let state = Mutex(State())

    public init() {}

    func add(_ process: ChildProcess) { state.withLock { $0.processes.append(process) } }
    func add(_ folder: FleetFolder) { state.withLock { $0.folders.append(folder) } }

    /// Asks every process to end, ends those that have not after five seconds, and removes the folders. A PostgreSQL of its own
    /// ends with our process.
    public func clear() async {
        let (processes, folders) = state.withLock { ($0.processes, $0.folders) }
        for process in processes { process.terminate() }
        let deadline = ContinuousClock.now + .seconds(5)
        for process in processes where await process.end(within: deadline - .now) == nil { process.kill() }
        for folder in folders { folder.remove() }
    }
}
