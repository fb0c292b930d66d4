import Glibc
import Synchronization

/// Knows when this machine stood still, so that what is promised within a time is judged by the time in which it could be kept.
///
/// A thread of its own sleeps and looks how much later than it wanted it wakes. May be asked from anywhere; knows of nothing before
/// it was first asked.
final class StallWatch: Sendable {
    static let shared = StallWatch()

    private static let step: UInt32 = 10_000
    /// What is shorter is what a busy machine does all the time.
    private static let least = Duration.milliseconds(100)
    private let stalls = Mutex<[Range<ContinuousClock.Instant>]>([])

    private init() {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { _ in
                while true { StallWatch.shared.look() }
            }, nil)
        pthread_detach(thread)
    }

    private func look() {
        let before = ContinuousClock.now
        usleep(Self.step)
        let after = ContinuousClock.now
        if after - before > Self.least { stalls.withLock { $0.append(before..<after) } }
    }

    /// The time between two instants in which this machine ran.
    func runningTime(since start: ContinuousClock.Instant, until end: ContinuousClock.Instant = .now) -> Duration {
        end - start - stalledTime(since: start, until: end)
    }

    /// The time between two instants in which this machine stood still.
    func stalledTime(since start: ContinuousClock.Instant, until end: ContinuousClock.Instant = .now) -> Duration {
        guard start < end else { return .zero }
        return stalls.withLock { stalls in
            stalls.reduce(.zero) { sum, stall in
                let common = stall.clamped(to: start..<end)
                return sum + (common.upperBound - common.lowerBound)
            }
        }
    }
}
