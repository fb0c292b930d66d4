import Glibc

/// What the system says of files.
///
/// In a target of its own: where NIO is imported too, the members of these structures belong to one C module in one build and to
/// another in the next.
public enum FileFacts {
    /// Permission bits; `nil` when there is no such file.
    public static func permissions(of path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    /// Whether two paths lead to one file, by whatever links.
    public static func areSame(_ one: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard stat(one, &first) == 0, stat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// Bytes that may still be written beside `path`, by a user who is not the superuser; `nil` when the system doesn't tell.
    public static func freeBytes(at path: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let product = UInt64(status.f_frsize).multipliedReportingOverflow(by: UInt64(status.f_bavail))
        return product.overflow ? .max : product.partialValue
    }
}
