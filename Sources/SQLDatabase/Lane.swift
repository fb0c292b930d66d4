import Glibc

/// One thread of its own for something that blocks and must not be used by two callers at once.
///
/// The resource is made on the thread, lives on it and ends on it; jobs borrow it one at a time, in the order given.
/// When the last reference to the lane goes, the thread runs what was given to it and ends.
public final class Lane<Resource>: Sendable {
    public typealias Job = @Sendable (Resource) -> Void

    private let queue: LaneQueue<Job>

    /// Starts the thread.
    /// - Parameters:
    ///   - name: shown by the system's tools; cut to 15 bytes.
    ///   - gathers: whether jobs are better done late and together: then the thread, when woken, takes no core from the one that
    ///     gave the job, which may give more (``ThreadSchedule/patient``). A job may change that.
    ///   - make: makes the resource, on the thread, before the first job.
    /// - Throws: `.noConnection` when the system gives no thread.
    public init(
        name: String, gathers: Bool = false, _ make: @escaping @Sendable () -> Resource
    ) throws(SQLError) {
        let queue = LaneQueue<Job>()
        self.queue = queue
        try startThread {
            nameThread(name)
            if gathers { ThreadSchedule.patient.apply() }
            let resource = make()
            var jobs: [Job] = []
            while queue.take(into: &jobs) {
                for job in jobs { job(resource) }
                jobs.removeAll(keepingCapacity: true)
            }
        }
    }

    deinit { queue.stop() }

    /// Runs `job` after all jobs given earlier. Returns at once.
    public func enqueue(_ job: @escaping Job) { queue.push(job, after: nil) }

    /// Runs `job` after all jobs given earlier, and not before `delay` has passed. Returns at once.
    public func enqueue(after delay: Duration, _ job: @escaping Job) {
        queue.push(job, after: delay > .zero ? delay : nil)
    }
}

/// What a new thread is to run, as one pointer.
private final class ThreadBody {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a detached thread that runs `body` and ends.
public func startThread(_ body: @escaping @Sendable () -> Void) throws(SQLError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 1 << 20)
    let handed = Unmanaged.passRetained(ThreadBody(body))
    var thread = pthread_t()
    let outcome = pthread_create(
        &thread, &attributes,
        { pointer in
            guard let pointer else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue().run()
            return nil
        }, handed.toOpaque())
    guard outcome == 0 else {
        handed.release()
        throw SQLError(.noConnection, detail: "no thread: error \(outcome)")
    }
}

/// Names the calling thread for the system's tools; Glibc's module does not offer `pthread_setname_np`.
private func nameThread(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = name.withCString { write(descriptor, $0, min(strlen($0), 15)) }
    close(descriptor)
}
