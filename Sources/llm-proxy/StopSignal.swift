import Dispatch
import Glibc

/// SIGTERM and SIGINT, as something to wait for.
struct StopSignal {
    private static let numbers = [SIGTERM, SIGINT]
    private let sources: [any DispatchSourceSignal]
    private let arrivals: AsyncStream<Void>

    /// Watches from now on: a signal that comes before ``wait()`` is called is not lost. One that comes before the
    /// registration, which takes the signal over, ends the process.
    static func watch() async -> StopSignal {
        signal(SIGPIPE, SIG_IGN)  // A closed pipe is a write that fails, not the end.
        let (arrivals, continuation) = AsyncStream.makeStream(of: Void.self)
        var sources: [any DispatchSourceSignal] = []
        for number in numbers {
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            await withCheckedContinuation { registered in
                source.setRegistrationHandler { registered.resume() }
                source.resume()
            }
            sources.append(source)
        }
        return StopSignal(sources: sources, arrivals: arrivals)
    }

    /// Returns when the process is asked to stop. Further signals don't hurry it.
    func wait() async {
        for await _ in arrivals { break }
        for number in Self.numbers { signal(number, SIG_IGN) }
        for source in sources { source.cancel() }
    }
}
