import Dispatch
import Glibc

/// Signals of some numbers, as something to wait for.
struct SignalWatch {
    let numbers: [Int32]
    private let sources: [any DispatchSourceSignal]
    /// One element for each signal that came.
    let arrivals: AsyncStream<Void>

    /// Watches from now on: a signal that comes before ``arrivals`` is read is not lost. One that comes before the
    /// registration, which takes the signal over, does what it usually does.
    static func watch(_ numbers: [Int32]) async -> SignalWatch {
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
        return SignalWatch(numbers: numbers, sources: sources, arrivals: arrivals)
    }

    /// From now on these signals are ignored.
    func ignore() {
        for number in numbers { signal(number, SIG_IGN) }
        for source in sources { source.cancel() }
    }
}
