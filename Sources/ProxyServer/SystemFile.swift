import Glibc

/// Small files of settings, without Foundation.
enum SystemFile {
    /// The text of a file; `nil` when there is none.
    /// - Throws: when it can't be read, or is larger than 16 MiB.
    static func read(_ path: String) throws -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw SystemFileError(code: errno) }
            return nil
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            guard count >= 0, bytes.count <= 16 << 20 else { throw SystemFileError(code: count < 0 ? errno : EFBIG) }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }
}

/// Why a file can't be read.
struct SystemFileError: Error {
    let code: Int32
}
