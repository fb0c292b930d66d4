import Foundation
import Synchronization

/// What went wrong in the test's own machinery.
struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A folder of its own, removed with the last reference to it.
final class TestFolder: Sendable {
    let path = NSTemporaryDirectory() + "conformance-\(UUID().uuidString.lowercased())"

    init() { try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { remove() }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// A value that several threads change.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    @discardableResult
    func change<Result: Sendable>(_ change: @Sendable (inout Value) -> Result) -> Result {
        state.withLock { value in change(&value) }
    }
}

/// Where the package lies.
let packageFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path()

/// Threads for calls that block: as many as there are such calls at once, kept for the next ones.
final class BlockingThreads: Sendable {
    static let shared = BlockingThreads()

    private final class Worker: Sendable {
        let job = Shared<(@Sendable () -> Void)?>(nil)
        let wakeUp = DispatchSemaphore(value: 0)
    }

    private let idle = Shared<[Worker]>([])

    /// Runs `job` on a thread of its own.
    func start(_ job: @escaping @Sendable () -> Void) {
        let worker = idle.change { $0.popLast() } ?? makeWorker()
        worker.job.change { $0 = job }
        worker.wakeUp.signal()
    }

    /// Runs `body` on a thread of its own and gives what it gives.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            start { continuation.resume(with: Result { try body() }) }
        }
    }

    private func makeWorker() -> Worker {
        let worker = Worker()
        let thread = Thread { [self] in
            while true {
                worker.wakeUp.wait()
                worker.job.value?()
                worker.job.change { $0 = nil }
                idle.change { $0.append(worker) }
            }
        }
        thread.stackSize = 1 << 20
        thread.start()
        return worker
    }
}
