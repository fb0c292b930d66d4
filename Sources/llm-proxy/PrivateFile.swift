import Glibc
import SystemFacts

/// Files for their owner alone.
enum PrivateFile {
    /// Writes a file, whole or not at all.
    /// - Parameter replaces: whether one of that name gives way.
    static func write(_ text: String, to path: String, replaces: Bool) throws(ManageError) {
        let draft = "\(path).\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(draft) }
        defer { unlink(draft) }
        let bytes = Array(text.utf8)
        let isWritten = Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten else { throw failure(draft) }
        // A link is refused where there is a file, also one that came since somebody looked.
        guard (replaces ? rename(draft, path) : link(draft, path)) == 0 else {
            throw errno == EEXIST ? .refused("\(path) is there already") : failure(path)
        }
    }

    /// Makes the folder that the file at `path` goes into, and those above it, if they are missing.
    static func makeFolder(of path: String) throws(ManageError) {
        let folder = FilePath.folder(of: path)
        guard mkdir(folder, 0o700) != 0, errno != EEXIST else { return }
        guard errno == ENOENT else { throw failure(folder) }
        try makeFolder(of: folder)
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw failure(folder) }
    }

    private static func failure(_ path: String) -> ManageError {
        .failed("\(path): \(String(cString: strerror(errno)))")
    }
}
