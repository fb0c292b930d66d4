import Glibc
import Synchronization

/// Our side of the shell that starts, outlives and clears away one server (`WatchdogScript`).
///
/// The server ends and the folder goes when this value goes, and also when our process is killed: the system then
/// closes the socket for us.
final class Watchdog: Sendable {
    private struct State {
        let shell: pid_t
        /// Our end of the socket; nil after the end.
        var channel: Int32?
        /// The last one started, until it is waited for.
        var server: ServerProcess?
    }
    private let state: Mutex<State>

    /// Starts the shell. It does nothing yet.
    init(arguments: [String], environment: [String]) throws(FixtureError) {
        var ends: [Int32] = [-1, -1]
        // A socket, since writing to a pipe whose reader is gone would kill us.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw FixtureError("can't make a socket: \(String(cString: strerror(errno)))")
        }
        defer { close(ends[1]) }
        do {
            let words = ["sh", "-c", WatchdogScript.text, "postgres-watchdog"] + arguments
            let shell = try DetachedCommand(words: words, environment: environment).start(on: ends[1])
            state = Mutex(State(shell: shell, channel: ends[0], server: nil))
        } catch {
            close(ends[0])
            throw error
        }
    }

    deinit { end() }

    /// The server's process number; nil while none runs.
    var server: pid_t? { state.withLock { Self.running(in: $0)?.number } }

    /// Runs `initdb`; false when it fails. Blocks.
    func makeData() -> Bool { state.withLock { Self.ask("make", $0) == "made" } }

    /// Starts the server, unless it runs already. It does not answer yet. False when the watchdog is gone.
    func startServer(port: Int) -> Bool {
        state.withLock { state in
            if Self.running(in: state) != nil { return true }
            Self.reap(&state)
            guard let number = Self.ask("start \(port)", state).flatMap({ pid_t($0) }) else { return false }
            state.server = ServerProcess(number: number, session: state.shell)
            return true
        }
    }

    /// Signals the server, and waits until it has ended. Blocks.
    func stopServer(signal: Int32) {
        let running = state.withLock { state in
            let running = Self.running(in: state)
            if let running { kill(running.number, signal) }
            return running
        }
        // Without the lock: a gentle stop takes as long as its clients like, and a harder one must not wait for it.
        while let running, server == running.number { usleep(5_000) }
        state.withLock { Self.reap(&$0) }
    }

    /// Makes the watchdog stop the server and remove the folder, and waits for that. Blocks. May be called again.
    func end() {
        state.withLock { state in
            guard let channel = state.channel else { return }
            close(channel)
            state.channel = nil
            state.server = nil
            while waitpid(state.shell, nil, 0) < 0, errno == EINTR {}
        }
    }

    private static func running(in state: borrowing State) -> ServerProcess? {
        guard let server = state.server, server.isRunning else { return nil }
        return server
    }

    /// Has the shell wait for a server that has ended, so that its number is free.
    private static func reap(_ state: inout State) {
        guard state.server != nil, running(in: state) == nil else { return }
        _ = ask("reap", state)
        state.server = nil
    }

    /// Sends one line and gives the answer; nil when the shell is gone. Blocks.
    private static func ask(_ order: String, _ state: borrowing State) -> String? {
        guard let channel = state.channel else { return nil }
        let line = Array((order + "\n").utf8)
        guard send(channel, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else { return nil }
        var answer: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(channel, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { return nil }
            if byte == UInt8(ascii: "\n") { return String(decoding: answer, as: UTF8.self) }
            answer.append(byte)
        }
    }
}
