import Dispatch
import Glibc

/// Threads for calls that block: as many as there are such calls at once, kept for the next ones.
package final class BlockingThreads: Sendable {
    package static let shared = BlockingThreads()

    private final class Worker: Sendable {
        let job = Shared<(@Sendable () -> Void)?>(nil)
        let wakeUp = DispatchSemaphore(value: 0)
    }

    private let idle = Shared<[Worker]>([])

    /// Runs `job` on a thread of its own.
    package func start(_ job: @escaping @Sendable () -> Void) {
        let worker = idle.change { $0.popLast() } ?? makeWorker()
        worker.job.change { $0 = job }
        worker.wakeUp.signal()
    }

    /// Runs `body` on a thread of its own and gives what it gives.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            start { continuation.resume(with: Result { try body() }) }
        }
    }

    private func makeWorker() -> Worker {
        let worker = Worker()
        let life = Unmanaged.passRetained(
            ThreadLife { [self] in
                while true {
                    worker.wakeUp.wait()
                    worker.job.value?()
                    worker.job.change { $0 = nil }
                    idle.change { $0.append(worker) }
                }
            })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 1 << 20)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                argument.map { Unmanaged<ThreadLife>.fromOpaque($0).takeRetainedValue().body() }
                return nil
            }, life.toOpaque())
        precondition(failure == 0, "no thread can be started")
        return worker
    }
}

/// What a thread does, in a box that a C function can be given.
private final class ThreadLife: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
