import Glibc
import SQLDatabase
import Synchronization
import SystemFacts

/// The right to be the one server on a database file. Held until it is released or the value dies, and freed by the
/// kernel when the process ends in whatever way. Tools that only read do not take it.
public final class ServerLock: Sendable {
    /// -1 once it is given back.
    private let descriptor: Atomic<Int32>
    /// The file that is locked: the database's path, links followed, and `.lock`.
    public let path: String

    /// Takes the lock of the database at `database`, whose folder is made when it is missing.
    /// - Throws: `.held` when another process, or another lock of this one, has it.
    public init(forDatabaseAt database: String) throws(ServerLockError) {
        do {
            try SQLiteFile.prepareFolder(of: database)
        } catch {
            throw .unusable(file: database, reason: error.detail)
        }
        let path = SQLiteFile.canonical(database) + ".lock"
        let descriptor = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unusable(file: path, reason: String(cString: strerror(errno))) }
        guard FileLock.take(descriptor) else {
            let code = errno
            let holder = Self.holder(descriptor)
            Glibc.close(descriptor)
            guard code == EWOULDBLOCK else { throw .unusable(file: path, reason: String(cString: strerror(code))) }
            throw .held(database: database, lock: path, holder: holder)
        }
        // Set last: an initializer that throws with all of these set would run `deinit`, and close a number twice.
        self.path = path
        self.descriptor = Atomic(descriptor)
        writeHolder(descriptor)
    }

    deinit { release() }

    /// Gives the file to whoever comes next. Does nothing the second time.
    public func release() {
        let held = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if held >= 0 { Glibc.close(held) }
    }

    /// Tells who holds it. The lock holds without, so a full disk is no reason to fail.
    private func writeHolder(_ descriptor: Int32) {
        ftruncate(descriptor, 0)
        let text = "\(getpid())\n"
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}

/// Why a server may not use a database file.
public enum ServerLockError: Error, Hashable, Sendable {
    /// Another server has it; `holder` is its process, if it could be read.
    case held(database: String, lock: String, holder: Int32?)
    /// The lock's file can't be made or locked.
    case unusable(file: String, reason: String)
}

extension ServerLockError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .held(let database, let lock, let holder):
            "another server \(holder.map { "(process \($0)) " } ?? "")is using \(database): stop it, or give this one "
                + "another DATABASE_PATH (lock file \(lock))"
        case .unusable(let file, let reason): "can't lock \(file): \(reason)"
        }
    }
}
