import Glibc

/// The folder that holds a server's data, socket and log. Whoever makes it sees to its removal.
struct ServerFolder {
    let path: String
    private let account: ServerAccount?

    /// Longest path, in bytes, that leaves room for the socket's name: the system allows 107 together.
    private static let longestPath = 90

    /// Makes it below `TMPDIR`, or `/tmp` when that is unset or too long.
    init(for account: ServerAccount?) throws(FixtureError) {
        let name = "/pg-XXXXXX"
        let wish = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        let isFit = wish.hasPrefix("/") && wish.utf8.count + name.utf8.count <= Self.longestPath
        let pattern = strdup((isFit ? wish : "/tmp") + name)
        defer { free(pattern) }
        guard let pattern, let made = mkdtemp(pattern) else {
            throw FixtureError(
                "can't make a folder below \(isFit ? wish : "/tmp"): \(String(cString: strerror(errno)))")
        }
        path = String(cString: made)
        self.account = account
        if let account { chown(path, account.user, account.group) }
    }

    var data: String { path + "/data" }

    /// The end of what the server and `initdb` wrote, at most 2,000 bytes.
    var logTail: String {
        let all = Self.bytes(of: path + "/server.log") ?? []
        return String(decoding: all.suffix(2000), as: UTF8.self)
    }

    /// Copies a file into the data folder, readable by the server's user only, as it wants a key to be.
    func copyIntoData(_ source: String, as name: String) throws(FixtureError) {
        guard let content = Self.bytes(of: source) else {
            throw FixtureError("can't read \(source): \(String(cString: strerror(errno)))")
        }
        let descriptor = open("\(data)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        guard descriptor >= 0, write(descriptor, content, content.count) == content.count else {
            throw FixtureError("can't write \(data)/\(name): \(String(cString: strerror(errno)))")
        }
        if let account { fchown(descriptor, account.user, account.group) }
    }

    /// Nil when the file can't be read.
    private static func bytes(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &part, part.count)
            guard count >= 0 else { return nil }
            if count == 0 { return all }
            all += part[..<count]
        }
    }
}
