import Glibc
import ProxyFleet
import ProxyServer
import ProxySettings
import SystemFacts

/// What `llm-proxy doctor` sees of files.
enum DoctorFiles {
    private static let mebibyte: UInt64 = 1 << 20
    /// Below it there is a warning: days of requests still fit.
    private static let lowSpace: UInt64 = 1024 * mebibyte
    /// Below it a check fails: the log before a checkpoint may not fit any more.
    private static let leastSpace: UInt64 = 100 * mebibyte

    static func findings(_ settings: ServerSettings) -> [DoctorFinding] {
        let path = settings.database.path
        guard path != ":memory:" else { return [] }
        let folder = FilePath.folder(of: path)
        var findings = ["management-token", "encryption-key", "encryption-key.former"].compactMap {
            permissions(of: "\(folder)/\($0)")
        }
        if settings.database.engine == .sqlite { findings.append(space(in: folder)) }
        return findings
    }

    /// The text of a file; `nil` without one, and for one that can't be read.
    static func text(of path: String) -> String? { try? TextFile.read(path) }

    /// - Returns: `nil` where there is no such file.
    private static func permissions(of path: String) -> DoctorFinding? {
        guard let mode = FileFacts.permissions(of: path) else { return nil }
        let found = "has the permissions 0\(String(mode, radix: 8))"
        guard mode & 0o077 != 0 else { return DoctorFinding.ok(path, found) }
        return DoctorFinding.warning(path, "\(found): others may use a secret", remedy: "chmod 600 \(path)")
    }

    /// - Parameter folder: where the database is, or will be made.
    private static func space(in folder: String) -> DoctorFinding {
        let name = "disk"
        var place = folder
        while access(place, F_OK) != 0, place != ".", place != "/" { place = FilePath.folder(of: place) }
        guard let free = FileFacts.freeBytes(at: place) else {
            return .warning(name, "the room beside \(folder) can't be told", remedy: "look with df")
        }
        let found = "\(free / mebibyte) MiB are free in \(place)"
        guard free < lowSpace else { return .ok(name, found) }
        let remedy = "make room, or lower REQUEST_RETENTION_DAYS"
        return free < leastSpace ? .failed(name, found, remedy: remedy) : .warning(name, found, remedy: remedy)
    }
}
