import Glibc

/// A folder of our own, for us alone.
struct FleetFolder: Sendable {
    let path: String

    init() throws(FleetError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/llm-proxy-load-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw FleetError("no folder can be made in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() { Self.remove(path) }

    private static func remove(_ path: String) {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let isFolder = entry.pointee.d_type == UInt8(DT_DIR)
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            if isFolder { remove("\(path)/\(name)") } else { unlink("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }
}
