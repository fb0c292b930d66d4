import PostgresDriver
import SQLiteDriver
import SystemFacts

extension DatabasePlace {
    /// Reads where a database is from a word of the command line: `postgres://…`, `sqlite:PATH`, or a SQLite file's path.
    /// - Parameter option: what messages call it.
    init(url: String, option: String) throws(StartupError) {
        if url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") {
            do {
                self = .server(try PostgresAddress(url))
            } catch {
                throw StartupError("\(option) \(error)")
            }
            return
        }
        var path = url[...]
        if let prefix = ["sqlite://", "sqlite:"].first(where: url.hasPrefix) {
            path = path.dropFirst(prefix.count)
        } else if let scheme = url.firstRange(of: "://") {
            throw StartupError("\(option) is a \(url[..<scheme.lowerBound]): URL: name a postgres:// or sqlite: one")
        }
        guard !path.isEmpty, path != ":memory:" else {
            throw StartupError("\(option) names no file: write sqlite:PATH, for instance sqlite:./data/llm-proxy.db")
        }
        self = .file(String(path))
    }

    /// Whether both are one database, as far as can be told without asking it.
    func isSame(as other: DatabasePlace) -> Bool {
        if case .file(let one) = self, case .file(let other) = other, FileFacts.areSame(one, other) { return true }
        return address == other.address
    }

    /// Which database it is, without a password: the same text from wherever it is named.
    var address: String {
        switch self {
        case .memory: "sqlite::memory:"
        case .file(let path): "sqlite:\(SQLiteDatabase.canonicalPath(of: path))"
        case .server(let address): "\(address)"
        }
    }
}
