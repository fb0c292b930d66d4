import Dispatch
import Glibc

/// SIGTERM and SIGINT, as something to wait for.
enum StopSignal {
    /// Returns when the process is asked to stop. A second signal then ends it at once.
    static func wait() async {
        let numbers = [SIGTERM, SIGINT]
        for number in numbers { signal(number, SIG_IGN) }
        signal(SIGPIPE, SIG_IGN)  // A closed pipe is a write that fails, not the end.
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
        for await _ in stream { break }
        for source in sources { source.cancel() }
        for number in numbers { signal(number, SIG_DFL) }
    }
}
