import Glibc

/// The system's clock that never goes back. Tells how long things take, never what time it is.
package enum Monotonic {
    /// Time since an instant that does not change while the system runs.
    package static func now() -> Duration {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Duration(secondsComponent: Int64(time.tv_sec), attosecondsComponent: Int64(time.tv_nsec) * 1_000_000_000)
    }

    static func timespec(_ instant: Duration) -> Glibc.timespec {
        let (seconds, attoseconds) = instant.components
        return Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    }
}
