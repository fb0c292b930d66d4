import Glibc

/// A process that the watchdog started, known by its number and the watchdog's session.
struct ServerProcess: Equatable {
    let number: pid_t
    /// The number alone may by now be another's; the session's is not given away while it has members.
    let session: pid_t

    /// False also when it has ended but nobody has waited for it yet. Reads `/proc`: proc(5), "/proc/pid/stat".
    var isRunning: Bool {
        let descriptor = open("/proc/\(number)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &text, text.count)
        guard count > 0, let nameEnd = text[..<count].lastIndex(of: UInt8(ascii: ")")) else { return false }
        let fields = String(decoding: text[(nameEnd + 1)..<count], as: UTF8.self).split(separator: " ")
        // After the name: state, parent, group, session.
        guard fields.count > 3, fields[0] != "Z", fields[0] != "X" else { return false }
        return pid_t(fields[3]) == session
    }
}
