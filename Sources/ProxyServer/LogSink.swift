import Dispatch
import Glibc
import SQLDatabase
import Synchronization

/// Where log lines go: a file or standard error. Any thread may write; none of them waits for the disk.
///
/// Lines gather while earlier ones are written, and while the core is busy, up to a bound; beyond it they are dropped and their number is
/// logged.
public final class LogSink: Sendable {
    /// Bytes that may wait.
    private static let bound = 8 << 20

    private struct State {
        var waiting: [UInt8] = []
        var dropped = 0
        var isWriting = false
    }

    /// What each JSON line says of the service.
    let resource: [UInt8]
    private let descriptor: Int32
    private let ownsDescriptor: Bool
    private let state = Mutex(State())
    private let lane: Lane<Void>

    /// Writes to standard error.
    public init(resource: [String: String] = [:]) throws(StartupError) {
        self.resource = LogLine.resource(resource)
        lane = try Self.startLane()
        descriptor = STDERR_FILENO
        ownsDescriptor = false
    }

    /// Appends to the file at `path`, which is made if it is missing.
    public init(path: String, resource: [String: String] = [:]) throws(StartupError) {
        self.resource = LogLine.resource(resource)
        lane = try Self.startLane()
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        ownsDescriptor = true
        guard descriptor >= 0 else {
            throw StartupError(
                "LOG_FILE \(path) can't be written (\(String(cString: strerror(errno)))): name a file that can be")
        }
    }

    deinit { if ownsDescriptor { close(descriptor) } }

    private static func startLane() throws(StartupError) -> Lane<Void> {
        do throws(SQLError) {
            return try Lane(name: "log-writer", gathers: true) {}
        } catch {
            throw StartupError("no thread can be had that writes the log (\(error)): allow the program more threads")
        }
    }

    /// Adds a line; `bytes` end with a line feed.
    func write(_ bytes: [UInt8]) {
        let mustStart = state.withLock { state in
            guard state.waiting.count + bytes.count <= Self.bound else {
                state.dropped += 1
                return false
            }
            state.waiting.append(contentsOf: bytes)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { lane.enqueue { _ in self.writeOut() } }
    }

    /// Waits until all lines so far are written, five seconds at most; for the end of the process.
    public func flush() {
        let written = DispatchSemaphore(value: 0)
        lane.enqueue { _ in
            self.writeOut()
            written.signal()
        }
        _ = written.wait(timeout: .now() + 5)
    }

    private func writeOut() {
        var bytes: [UInt8] = []
        while true {
            let dropped = state.withLock { state in
                bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
                swap(&bytes, &state.waiting)
                if bytes.isEmpty { state.isWriting = false }
                defer { state.dropped = 0 }
                return state.dropped
            }
            if dropped > 0 {
                put(Array(#"{"level":"warning","message":"log lines dropped","count":\#(dropped)}\#n"#.utf8))
            }
            guard !bytes.isEmpty else { return }
            put(bytes)
        }
    }

    private func put(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress(), rest.count)
                if written < 0 {
                    guard errno == EINTR || errno == EAGAIN else { return }  // Nowhere is left to say so.
                    continue
                }
                rest = rest.dropFirst(written)
            }
        }
    }
}

extension Slice where Base == UnsafeRawBufferPointer {
    fileprivate func baseAddress() -> UnsafeRawPointer? { UnsafeRawBufferPointer(rebasing: self).baseAddress }
}
