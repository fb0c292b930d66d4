import Glibc

/// SIGTERM and SIGINT, as something to wait for.
struct StopSignal {
    private let signals: SignalWatch

    /// Watches from now on; see ``SignalWatch/watch(_:)``.
    static func watch() async -> StopSignal {
        signal(SIGPIPE, SIG_IGN)  // A closed pipe is a write that fails, not the end.
        return StopSignal(signals: await .watch([SIGTERM, SIGINT]))
    }

    /// Returns when the process is asked to stop. Further signals don't hurry it.
    func wait() async {
        for await _ in signals.arrivals { break }
        signals.ignore()
    }
}
