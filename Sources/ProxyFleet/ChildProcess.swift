import Glibc
import ProxyFixtures
import Synchronization

/// A program that runs beside us until it ends or is ended. May be used from any thread.
public final class ChildProcess: Sendable {
    public let pid: Int32
    /// Where all that it says goes.
    private let outputPath: String
    private let status = Mutex<Int?>(nil)

    /// Starts a program.
    /// - Parameters:
    ///   - program: its path.
    ///   - environment: all of it; nothing is inherited.
    ///   - folder: it works in.
    ///   - outputPath: a file for its output and errors, to which they are added.
    /// - Throws: `FleetError` when it can't be started.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String], folder: String, outputPath: String
    ) throws(FleetError) {
        self.outputPath = outputPath
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        DetachedCommand.closeOthers(&actions)
        // env only changes the folder, then becomes the program.
        let words = ["env", "-C", folder, program] + arguments
        var started: pid_t = 0
        let failure = DetachedCommand.withPointers(words) { words in
            DetachedCommand.withPointers(environment.map { "\($0.key)=\($0.value)" }) { environment in
                posix_spawn(&started, "/usr/bin/env", &actions, nil, words, environment)
            }
        }
        guard failure == 0 else { throw FleetError("can't run env: \(String(cString: strerror(failure)))") }
        pid = started
    }

    /// How it ended; 128 and the signal's number when one ended it. `nil` while it runs.
    public var exitCode: Int? {
        status.withLock { status in
            if status != nil { return status }
            var code: Int32 = 0
            guard waitpid(pid, &code, WNOHANG) == pid else { return nil }
            let signal = code & 0x7F
            status = signal == 0 ? Int(code >> 8 & 0xFF) : 128 + Int(signal)
            return status
        }
    }

    /// Waits until it has ended.
    /// - Returns: how; `nil` when it has not after so long.
    public func end(within time: Duration) async -> Int? {
        let deadline = ContinuousClock.now + time
        while ContinuousClock.now < deadline {
            if let exitCode { return exitCode }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return exitCode
    }

    public func terminate() { signal(SIGTERM) }
    public func hangUp() { signal(SIGHUP) }
    public func kill() { signal(SIGKILL) }

    private func signal(_ number: Int32) {
        status.withLock { status in
            // Once it has been waited for, its number may be another's.
            if status == nil { _ = Glibc.kill(pid, number) }
        }
    }

    /// All that it has said so far.
    public var output: String { ((try? TextFile.read(outputPath)) ?? nil) ?? "" }
}
