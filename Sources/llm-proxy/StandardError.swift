import Glibc

/// Lines for people, on standard error.
enum StandardError {
    /// Puts `text` in the place of the line that a terminal shows last; nothing takes the line away.
    static func replaceLine(with text: String = "") {
        let bytes = Array("\r\u{1B}[K\(text)".utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }

    static func write(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}

/// Lines for people, on standard output: written at once, also into a pipe.
enum StandardOutput {
    static func write(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = Glibc.write(STDOUT_FILENO, bytes, bytes.count)
    }
}
