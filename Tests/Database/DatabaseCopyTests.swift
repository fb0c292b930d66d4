import ProxyDomain
import ProxyStorage
import SQLDatabase
import SQLiteDriver
import Testing

@testable import SQLStorage

@Suite("Copying a database")
struct DatabaseCopyTests {
    @Test("takes every column of every table but those left behind on purpose")
    func columns() async throws {
        let world = try await World.memory()
        let tables = SQLStatement(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'audit_events_words%'")
        let names = try await world.pool.read { connection in
            try connection.all(tables) { (row) throws(SQLError) in row.text(at: 0) }
        }
        #expect(names.sorted() == SQLStorage.tableNames.sorted())
        for table in StoredTable.all {
            let statement = SQLStatement(
                "SELECT name || ' ' || type FROM pragma_table_info('\(table.name)') ORDER BY 1")
            let columns = try await world.pool.read { connection in
                try connection.all(statement) { (row) throws(SQLError) in row.text(at: 0) }
            }
            #expect(table.columns.sorted() == columns, "\(table.name)")
        }
    }

    @Test("goes over pages that are full to the last row, and over one row more", arguments: [0, 1, 4096, 4097, 9000])
    func pages(rows: Int) async throws {
        let (source, target) = (try await World.memory(), try await World.memory())
        _ = try await target.pool.write { try $0.runScript("DELETE FROM projects") }
        _ = try await source.pool.write { connection in
            try connection.runScript(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(rows))
                INSERT INTO usage_daily (day, token_id, project_id, requests, prompt_tokens, completion_tokens, cost_nano)
                SELECT printf('2026-01-%02d', i % 28 + 1), printf('%08d', i), 'p', i, -i, 9223372036854775807, 0 FROM n
                WHERE \(rows) > 0
                """)
        }
        let copy = DatabaseCopy(from: source.pool, named: "there", to: target.pool)
        let copied = try await copy.run(replacing: false, now: noon) { _ in }
        #expect(copied.tables.first { $0.name == "usage_daily" }?.checksum.rows == Int64(rows))
        #expect(try await target.storage.unfinishedCopy()?.source == "there")
        try await copy.finish(at: noon)
        #expect(try await target.storage.unfinishedCopy() == nil)
        for world in [source, target] { await world.storage.close() }
    }

    @Test("has a checksum that any change of a value changes, and the order of rows does not")
    func checksum() {
        func sum(_ rows: [[SQLValue]]) -> TableChecksum {
            var sum = TableChecksum()
            for row in rows {
                let parameters = SQLParameters(row)
                sum.add(parameters.slots[...], textsAt: parameters.base)
            }
            return sum
        }
        let (a, b): ([SQLValue], [SQLValue]) = ([.text("ab"), .text("c"), .null], [.integer(1), .text(""), .null])
        #expect(sum([a, b]) == sum([b, a]))
        #expect(sum([a, b]) != sum([a]))
        #expect(sum([a]) != sum([[.text("a"), .text("bc"), .null]]))
        #expect(sum([b]) != sum([[.integer(1), .null, .null]]))
        #expect(sum([b]) != sum([[.text("1"), .text(""), .null]]))
        #expect(sum([a, a]) != sum([]), "two of the same don't cancel out")
    }
}
