import Glibc
import SQLDatabase
import SQLiteDriver
import SystemFacts

/// A secret that is made once and kept in a file only its owner may read.
enum SecretFile {
    /// Reads the file at `path`, or makes it with what `make` gives.
    ///
    /// Two servers that start at once agree: the file is made whole under another name and then linked into place, and
    /// whoever comes second reads what the first wrote.
    /// - Returns: the text without the line's end, and whether this call made it.
    static func readOrMake(
        _ path: String, for setting: String, make: () -> String
    ) throws(StartupError) -> (text: String, isNew: Bool) {
        if let text = try read(path, for: setting) { return (text, false) }
        let text = make()
        do { try SQLiteDatabase.prepareFolder(of: path) } catch {
            throw StartupError("\(error.detail): mend that, or set \(setting)")
        }
        // Servers in containers that share a folder all have the same process number; mkstemp makes the file 0600.
        var template = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw failure(path, setting) }
        let draft = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let line = Array("\(text)\n".utf8)
        let isWritten = write(descriptor, line, line.count) == line.count && fsync(descriptor) == 0
        close(descriptor)
        defer { unlink(draft) }
        guard isWritten else { throw failure(path, setting) }
        if link(draft, path) == 0 { return (text, true) }
        guard errno == EEXIST, let other = try read(path, for: setting) else { throw failure(path, setting) }
        return (other, false)
    }

    /// Puts `text` into the file at `path`, for its owner alone: whole, or not at all.
    static func replace(_ path: String, with text: String) throws(StartupError) {
        var template = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        let draft = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let bytes = Array(text.utf8)
        guard descriptor >= 0 else { throw failure(path, "ENCRYPTION_KEY") }
        let isWritten = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(draft, path) == 0 else {
            unlink(draft)
            throw failure(path, "ENCRYPTION_KEY")
        }
        // Or a power loss might bring back the file before it.
        let folder = open(FilePath.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func read(_ path: String, for setting: String) throws(StartupError) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure(path, setting) }
            return nil
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw failure(path, setting) }
        let text = String(decoding: bytes[0..<count], as: UTF8.self)
        let line = text.prefix { $0 != "\n" && $0 != "\r" }
        guard !line.isEmpty else {
            throw StartupError("\(path) is empty: delete it to have a new one made, or set \(setting)")
        }
        return String(line)
    }

    private static func failure(_ path: String, _ setting: String) -> StartupError {
        StartupError("\(path) can't be used (\(String(cString: strerror(errno)))): mend that, or set \(setting)")
    }
}
