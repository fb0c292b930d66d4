import Glibc

/// What shows that one of some files is another than before.
struct FileStamps: Hashable {
    private let stamps: [[Int]]

    var areAllThere: Bool { stamps.allSatisfy { !$0.isEmpty } }

    init(_ paths: [String]) {
        stamps = paths.map { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return [] }
            return [
                Int(truncatingIfNeeded: status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec,
            ]
        }
    }
}
