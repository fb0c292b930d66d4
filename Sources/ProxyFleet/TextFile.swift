import Glibc

/// Whole small files.
package enum TextFile {
    /// A file exists and can't be read.
    package struct Unreadable: Error {}

    /// - Returns: `nil` when there is no such file.
    package static func read(_ path: String) throws -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw Unreadable() }
            return nil
        }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &part, part.count)
            guard count >= 0 else { throw Unreadable() }
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += part[0..<count]
        }
    }

    /// - Throws: `FleetError` when it can't be written.
    package static func write(_ text: String, to path: String) throws(FleetError) {
        guard let file = fopen(path, "w") else { throw FleetError("\(path): \(String(cString: strerror(errno)))") }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else {
            throw FleetError("\(path): \(String(cString: strerror(errno)))")
        }
    }
}
