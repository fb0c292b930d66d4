/// Paths of files, as texts.
public enum FilePath {
    /// The folder that the file at `path` is in.
    public static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
