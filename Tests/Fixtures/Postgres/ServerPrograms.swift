import Glibc

/// Where `initdb` and `postgres` are.
struct ServerPrograms {
    let folder: String

    /// Looks where `POSTGRES_BIN` says; else where packages put them, newest first; else in `PATH`.
    static func find() throws(FixtureError) -> ServerPrograms {
        if let named = getenv("POSTGRES_BIN").map({ String(cString: $0) }), !named.isEmpty {
            guard isComplete(named) else {
                throw FixtureError("POSTGRES_BIN names \(named), where initdb and postgres are not both found")
            }
            return ServerPrograms(folder: named)
        }
        let usual =
            newestFirst("/usr/lib/postgresql/*/bin") + newestFirst("/usr/pgsql-*/bin") + ["/usr/local/pgsql/bin"]
        guard let folder = (usual + searchPath()).first(where: isComplete) else {
            throw FixtureError(
                "PostgreSQL server programs were not found: apt-get install postgresql, or name their folder with "
                    + "POSTGRES_BIN, or an existing server with TEST_POSTGRES_URL")
        }
        return ServerPrograms(folder: folder)
    }

    private static func isComplete(_ folder: String) -> Bool {
        access(folder + "/initdb", X_OK) == 0 && access(folder + "/postgres", X_OK) == 0
    }

    private static func searchPath() -> [String] {
        (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").map { String($0) }
    }

    private static func newestFirst(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
            .sorted { version(in: $0) > version(in: $1) }
    }

    /// The last number in a path: 16 in `/usr/lib/postgresql/16/bin`, 9.6 in `/usr/pgsql-9.6/bin`.
    private static func version(in path: String) -> Double {
        path.split { !($0.isNumber || $0 == ".") }.last.flatMap { Double($0) } ?? 0
    }
}
