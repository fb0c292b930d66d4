import Glibc
import SQLDatabase

/// The database's file and folder, as the operating system sees them.
enum SQLiteFile {
    /// Makes the folder (0700) and an empty file (0600) when they are missing.
    static func prepare(_ path: String) throws(SQLError) {
        try prepareFolder(of: path)
        // Only a file that we make is opened here: closing one that SQLite has open would drop its POSIX locks.
        let descriptor = Glibc.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            Glibc.close(descriptor)
        } else if errno != EEXIST {
            throw failure("can't create \(path)", errno)
        }
    }

    /// Makes the folder (0700) when it is missing.
    static func prepareFolder(of path: String) throws(SQLError) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolder(String(path[..<slash])) }
    }

    private static func makeFolder(_ path: String) throws(SQLError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw failure("can't create the folder \(path)", errno)
        }
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw failure("can't create the folder \(path)", errno)
        }
    }

    /// Which file a path leads to.
    struct Identity: Hashable, Sendable {
        let device: UInt
        let inode: UInt
    }

    /// `nil` when the path leads to none.
    static func identity(_ path: String) -> Identity? {
        var status = stat()
        return stat(path, &status) == 0 ? Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino)) : nil
    }

    /// Bytes in the file; `nil` without one.
    static func size(_ path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// The path with links followed: of the file if it exists, else of its folder.
    static func canonical(_ path: String) -> String {
        if let whole = resolved(path) { return whole }
        guard let slash = path.lastIndex(of: "/") else { return (resolved(".") ?? ".") + "/" + path }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return (resolved(folder) ?? folder) + path[slash...]
    }

    private static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    static func failure(_ what: String, _ code: Int32) -> SQLError {
        let kind: SQLError.Kind =
            switch code {
            case ENOSPC, EDQUOT: .full
            case EROFS, EACCES, EPERM: .readOnly
            default: .io
            }
        return SQLError(kind, code: "errno \(code)", detail: "\(what): \(String(cString: strerror(code)))")
    }
}
