public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func cachedResponse(_ key: String, at now: Timestamp) async throws(StorageError) -> CachedResponse? {
        try await reading(.readCache) { connection in
            try connection.first(CacheStatements.find, [.text(key), .instant(now)]) { (row) throws(SQLError) in
                CachedResponse(
                    key: row.text(at: 0), project: try row.id(at: 1), method: row.text(at: 2), url: row.text(at: 3),
                    keptUntil: try row.instant(at: 4), content: row.text(at: 5))
            }
        }
    }

    public func keep(_ response: CachedResponse, lastPurge: Int64, at now: Timestamp) async throws(StorageError) -> Bool
    {
        try await writing(.writeCache) { connection in
            // A purge under way is waited for: its deletion would not see this row, nor this statement its number.
            if connection.dialect.locksRows { try connection.run(CacheStatements.awaitPurge) }
            let isKept =
                try connection.run(
                    CacheStatements.keep,
                    [
                        .text(response.key), .id(response.project), .text(response.method), .text(response.url),
                        .instant(response.keptUntil), .integer(Int64(response.content.utf8.count)),
                        .text(response.content), .integer(lastPurge),
                    ]) > 0
            if isKept { try CacheStatements.note([response.key], at: now, on: connection) }
            return isKept
        }
    }

    public func noteCacheUses(_ keys: Set<String>, at now: Timestamp) async throws(StorageError) {
        // In their order, so that servers don't wait for each other in a circle.
        let keys = keys.sorted()
        _ = try await writing(.writeCache) { try CacheStatements.note(keys, at: now, on: $0) }
    }

    public func purgeCache(
        _ purge: CachePurge, at now: Timestamp
    ) async throws(StorageError) -> (number: Int64, removed: Int) {
        try await writing(.purgeCache, changesGrants: true, recordsFirst: true) { connection in
            // Its row is locked from here on, so that numbers come in the order of commits.
            let number = try connection.first(CacheStatements.takeNumber) { (row) throws(SQLError) in
                row.integer(at: 0)
            }
            guard let number else { throw SQLError(.other, detail: "grant_changes is empty") }
            let what: [SQLValue] = [
                .optional(purge.project?.text), .optional(purge.method), .optional(purge.url),
                .integer(purge.isPrefix ? 1 : 0),
            ]
            try connection.run(CacheStatements.addPurge, [.integer(number), .instant(now)] + what)
            try connection.run(
                CacheStatements.forgetPurges, [.instant(Timestamp(milliseconds: now.milliseconds - 86_400_000))])
            return (number, try connection.run(CacheStatements.remove, what))
        }
    }

    public func forgetCached(of project: ProjectID?, at path: String) async throws(StorageError) -> Int {
        try await writing(.writeCache) { connection in
            let place: [SQLValue] = [.text(path), .text(path + "?")]
            guard let project else { return try connection.run(CacheStatements.forgetOfAll, place) }
            return try connection.run(CacheStatements.forget, place + [.id(project)])
        }
    }

    public func cachePurges(
        after number: Int64?
    ) async throws(StorageError) -> [(number: Int64, purge: CachePurge)] {
        try await reading(.readCache) { connection in
            try connection.all(
                number == nil ? CacheStatements.lastPurge : CacheStatements.purges,
                number.map { [.integer($0)] } ?? []
            ) { (row) throws(SQLError) in
                let project: ProjectID? = row.isNull(at: 1) ? nil : try row.id(at: 1)
                return (
                    row.integer(at: 0),
                    CachePurge(
                        project: project, method: row.optionalText(at: 2), url: row.optionalText(at: 3),
                        isPrefix: row.integer(at: 4) != 0)
                )
            }
        }
    }

    public func trimCache(to maxBytes: Int64, at now: Timestamp) async throws(StorageError) -> Int {
        let removed = try await writing(.trimCache) { connection in
            try connection.run(CacheStatements.removeOld, [.instant(now)])
                + connection.run(CacheStatements.removeBeyond, [.integer(maxBytes)])
        }
        // By itself, so that it never takes back what was removed; and nothing of the last minute, which may just have been kept.
        let minuteAgo = Timestamp(milliseconds: now.milliseconds - 60_000)
        _ = try await writing(.trimCache) { try $0.run(CacheStatements.forgetUses, [.instant(minuteAgo)]) }
        return removed
    }
}

private enum CacheStatements {
    static let find = SQLStatement(
        """
        SELECT cache_key, project_id, method, url, kept_until, content FROM cached_responses
        WHERE cache_key = $1 AND kept_until > $2
        """)
    static let keep = SQLStatement(
        """
        INSERT INTO cached_responses (cache_key, project_id, method, url, kept_until, size, content)
        SELECT $1, $2, $3, $4, $5, $6, $7
        WHERE (SELECT COALESCE(max(number), 0) FROM cache_purges) <= $8
        ON CONFLICT (cache_key) DO UPDATE SET project_id = excluded.project_id, method = excluded.method,
            url = excluded.url, kept_until = excluded.kept_until, size = excluded.size, content = excluded.content
        """)
    static let awaitPurge = SQLStatement("SELECT count FROM grant_changes WHERE id = 1 FOR SHARE")
    static let forgetOfAll = SQLStatement(
        """
        DELETE FROM cached_responses WHERE method = 'GET' AND (url = $1 OR substr(url, 1, length(CAST($2 AS TEXT))) = $2)
        """)
    static let forget = SQLStatement("\(forgetOfAll.text) AND project_id = $3")
    static let takeNumber = SQLStatement("UPDATE grant_changes SET count = count + 1 WHERE id = 1 RETURNING count")
    static let addPurge = SQLStatement(
        """
        INSERT INTO cache_purges (number, purged_at, project_id, method, url, is_prefix)
        VALUES ($1, $2, $3, $4, $5, $6)
        """)
    static let forgetPurges = SQLStatement(
        "DELETE FROM cache_purges WHERE purged_at < $1 AND number < (SELECT max(number) FROM cache_purges)")
    static let remove = SQLStatement(
        """
        DELETE FROM cached_responses
        WHERE (CAST($1 AS TEXT) IS NULL OR project_id = $1) AND (CAST($2 AS TEXT) IS NULL OR method = $2)
            AND (CAST($3 AS TEXT) IS NULL OR url = $3
                OR CAST($4 AS BIGINT) = 1 AND substr(url, 1, length(CAST($3 AS TEXT))) = $3)
        """)
    private static let purgeColumns = "number, project_id, method, url, is_prefix"
    static let purges = SQLStatement("SELECT \(purgeColumns) FROM cache_purges WHERE number > $1 ORDER BY number")
    static let lastPurge = SQLStatement("SELECT \(purgeColumns) FROM cache_purges ORDER BY number DESC LIMIT 1")
    static let removeOld = SQLStatement("DELETE FROM cached_responses WHERE kept_until <= $1")
    static let removeBeyond = SQLStatement(
        """
        DELETE FROM cached_responses WHERE cache_key IN (SELECT cache_key FROM (
            SELECT cached_responses.cache_key,
                sum(size) OVER (ORDER BY COALESCE(used_at, '') DESC, cached_responses.cache_key) AS total
            FROM cached_responses LEFT JOIN cache_uses ON cache_uses.cache_key = cached_responses.cache_key) AS sized
            WHERE total > $1)
        """)
    static let forgetUses = SQLStatement(
        """
        DELETE FROM cache_uses WHERE used_at < $1
            AND NOT EXISTS (SELECT 1 FROM cached_responses WHERE cached_responses.cache_key = cache_uses.cache_key)
        """)
    private static let noting = "ON CONFLICT (cache_key) DO UPDATE SET used_at = excluded.used_at"
    private static let uses = BatchStatement(
        each: "INSERT INTO cache_uses (cache_key, used_at) SELECT $1, $2 WHERE \(isKept("$1")) \(noting)",
        all: """
            INSERT INTO cache_uses (cache_key, used_at)
            SELECT * FROM unnest($1::text[], $2::text[]) AS used (cache_key, used_at) WHERE \(isKept("used.cache_key"))
            ORDER BY cache_key \(noting)
            """)

    private static func isKept(_ key: String) -> String {
        "EXISTS (SELECT 1 FROM cached_responses WHERE cached_responses.cache_key = \(key))"
    }

    static func note(_ keys: [String], at now: Timestamp, on connection: some SQLConnection) throws(SQLError) {
        var rows = SQLParameters()
        for key in keys {
            rows.append(key)
            rows.append(now.text)
        }
        try connection.change(uses, rows, width: 2)
    }
}
