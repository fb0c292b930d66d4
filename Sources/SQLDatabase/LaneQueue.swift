import Glibc

/// A lane's jobs: first come, first served, those with a delay from the moment it has passed.
///
/// `@unchecked Sendable`: everything that changes is read and written under `mutex` only.
final class LaneQueue<Job>: @unchecked Sendable {
    private struct Timed {
        let due: Duration
        let job: Job
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let arrived: UnsafeMutablePointer<pthread_cond_t>
    private var ready: [Job] = []
    /// Latest first, so that the next one due is taken off the end.
    private var timed: [Timed] = []
    private var isWaiting = false
    private var isStopped = false

    init() {
        mutex = .allocate(capacity: 1)
        arrived = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Waits must not be moved by a change of the wall clock.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(arrived, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        mutex.deallocate()
    }

    func push(_ job: Job, after delay: Duration?) {
        pthread_mutex_lock(mutex)
        if let delay {
            let due = Monotonic.now() + delay
            let place = timed.lastIndex { $0.due > due }.map { $0 + 1 } ?? 0
            timed.insert(Timed(due: due, job: job), at: place)
        } else {
            ready.append(job)
        }
        let wakes = isWaiting
        pthread_mutex_unlock(mutex)
        if wakes { pthread_cond_signal(arrived) }
    }

    /// No more jobs will come; those that are here run at once.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(arrived)
    }

    /// Moves all jobs that may run into `jobs`, which must be empty; waits for one.
    /// - Returns: `false` when stopped and empty.
    func take(into jobs: inout [Job]) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if !timed.isEmpty { moveDue() }
            if !ready.isEmpty {
                swap(&ready, &jobs)
                return true
            }
            if isStopped { return false }
            isWaiting = true
            if let next = timed.last {
                var until = Monotonic.timespec(next.due)
                pthread_cond_timedwait(arrived, mutex, &until)
            } else {
                pthread_cond_wait(arrived, mutex)
            }
            isWaiting = false
        }
    }

    private func moveDue() {
        let now = Monotonic.now()
        while let next = timed.last, isStopped || next.due <= now {
            ready.append(next.job)
            timed.removeLast()
        }
    }
}
