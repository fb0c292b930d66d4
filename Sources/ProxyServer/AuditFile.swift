import Glibc
import Logging
import Synchronization

/// The audit as a file: one line of JSON for each event, in a file that is put aside when it has grown large.
///
/// Any thread may write, and waits for the system, not for the disk: events are few, and those that must not be lost are in the
/// database.
final class AuditFile: Sendable {
    /// How many files are kept besides the one that is written, as `.1` (the latest) to `.5`.
    static let kept = 5

    private struct State {
        var descriptor: Int32
        var size: Int
    }

    private let path: String
    private let largest: Int
    private let logger: Logger
    private let state: Mutex<State>

    /// Appends to the file at `path`, which is made if it is missing, for its owner alone.
    /// - Parameter largest: how many bytes it may have before it is put aside.
    init(path: String, largest: Int, logger: Logger) throws(StartupError) {
        let descriptor = Self.open(path)
        guard descriptor >= 0 else {
            throw StartupError(
                "AUDIT_LOG_FILE \(path) can't be written (\(String(cString: strerror(errno)))): name a file that can be"
            )
        }
        self.path = path
        self.largest = largest
        self.logger = logger
        state = Mutex(State(descriptor: descriptor, size: Int(lseek(descriptor, 0, SEEK_END))))
    }

    deinit { state.withLock { _ = close($0.descriptor) } }

    /// Adds a line; `text` is without its end.
    func write(_ text: String) {
        let bytes = Array("\(text)\n".utf8)
        let isWritten = state.withLock { state in
            if state.size > 0, state.size + bytes.count > largest { rotate(&state) }
            state.size += bytes.count
            return Glibc.write(state.descriptor, bytes, bytes.count) == bytes.count
        }
        if !isWritten {
            logger.error(
                "an event could not be written to AUDIT_LOG_FILE",
                metadata: ["path": "\(path)", "detail": "\(String(cString: strerror(errno)))"])
        }
    }

    /// Every file gets the next number. One that can't be put aside is written on.
    private func rotate(_ state: inout State) {
        for number in stride(from: Self.kept - 1, through: 1, by: -1) {
            rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        guard rename(path, "\(path).1") == 0 else { return }
        let next = Self.open(path)
        guard next >= 0 else { return }
        close(state.descriptor)
        state = State(descriptor: next, size: 0)
    }

    private static func open(_ path: String) -> Int32 {
        Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    }
}
