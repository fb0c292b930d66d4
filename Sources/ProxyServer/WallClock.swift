import Glibc
import ProxyDomain

/// Milliseconds since the Unix epoch, from `CLOCK_REALTIME`: it may step when an operator sets it.
func wallClockMilliseconds() -> Int64 {
    // Read as the two words that a timespec is on every 64-bit Linux: its members belong to whichever C module was
    // imported first, which changes with the packages below us.
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 2) { words in
        words.initialize(repeating: 0)
        words.withMemoryRebound(to: timespec.self) { time in
            if let address = time.baseAddress { clock_gettime(CLOCK_REALTIME, address) }
        }
        return Int64(words[0]) * 1000 + Int64(words[1]) / 1_000_000
    }
}

extension Timestamp {
    /// This moment.
    static var wallClock: Timestamp { Timestamp(milliseconds: wallClockMilliseconds()) }
}
