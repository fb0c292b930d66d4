import Synchronization

/// Looks once a second whether files have changed, and has them read again until that succeeds.
final class FileWatch: Sendable {
    private struct State {
        /// Of the files that are in force, from before they were read.
        var loaded: FileStamps
        /// Of those that could not be used last.
        var refused: FileStamps?
    }

    private let paths: [String]
    private let state: Mutex<State>
    private let task = RecurringTask()

    /// Make it before the files are read for the first time.
    init(_ paths: [String]) {
        self.paths = paths
        state = Mutex(State(loaded: FileStamps(paths)))
    }

    var areAllThere: Bool { FileStamps(paths).areAllThere }
    /// Whether the files as they were looked at last could not be used.
    var isRefusing: Bool { state.withLock { $0.refused != nil } }

    func start(_ reload: @escaping @Sendable () -> Void) {
        task.start { [self] in
            let found = FileStamps(paths)
            let isInForce = state.withLock { state in
                // Those that were refused are gone: the ones before them are back.
                if state.loaded == found { state.refused = nil }
                return state.loaded == found
            }
            if !isInForce { reload() }
            return .seconds(1)
        }
    }

    func stop() async { await task.stop() }

    /// Reads the files with `read`, which throws when they can't be used.
    /// - Parameter refuse: told of the error, once for the same files.
    func reading<Failure: Error>(
        _ read: () throws(Failure) -> Void, refuse: (Failure) -> Void
    ) {
        let stamps = FileStamps(paths)
        do throws(Failure) {
            try read()
            state.withLock { $0 = State(loaded: stamps) }
        } catch {
            let isNew = state.withLock { state in
                defer { state.refused = stamps }
                return state.refused != stamps
            }
            if isNew { refuse(error) }
        }
    }
}
