import SQLDatabase

/// Rows that have changed in a source, by their tables: each once, however often it has changed.
struct RowChanges: Sendable {
    /// In the order in which tables refer to each other; keys in the order of their last change, so that one that gave a name up comes
    /// before one that took it.
    let tables: [(table: StoredTable, keys: [[String]])]

    init(_ notes: [ChangeNotes.Note]) {
        var last: [String: [[String]: Int64]] = [:]
        for note in notes { last[note.table.name, default: [:]][note.key] = note.number }
        tables = StoredTable.all.compactMap { table in
            last[table.name].map { keys in (table, keys.sorted { $0.value < $1.value }.map(\.key)) }
        }
    }

    /// What the rows are now. Those that aren't there any more are left out.
    func read(on connection: any SQLConnection) throws(SQLError) -> [RowPage] {
        var pages: [RowPage] = []
        for (table, keys) in tables { pages.append(try RowPage.read(table, keys: keys, on: connection)) }
        return pages
    }

    /// Makes another database's rows like those.
    /// - Parameter keepsWords: whether new events are added to the index of their words, where that is kept by hand.
    /// - Returns: keys of other rows that gave their names up.
    func apply(
        _ pages: [RowPage], keepsWords: Bool, on connection: any SQLConnection
    ) throws(SQLError) -> [String: [[String]]] {
        var parked: [String: [[String]]] = [:]
        for ((table, keys), page) in zip(tables, pages).reversed() {
            let there = page.checksums
            let gone = keys.filter { there[$0] == nil }
            guard !gone.isEmpty else { continue }
            try connection.change(table.remove, SQLParameters(keys: gone), width: table.key.count)
        }
        for ((table, keys), page) in zip(tables, pages) {
            if keepsWords, table.name == LiveCopy.searched { try addWords(table, keys, page, on: connection) }
            parked[table.name, default: []] += try page.parkNames(on: connection)
            try page.insert(replacing: true, on: connection)
        }
        return parked
    }

    /// Events never change, hence only those count that aren't there yet.
    private func addWords(
        _ table: StoredTable, _ keys: [[String]], _ page: RowPage, on connection: any SQLConnection
    ) throws(SQLError) {
        guard let add = AuditStatements.of(connection.dialect).addWords,
            let words = table.columns.firstIndex(of: "words TEXT"),
            let number = table.columns.firstIndex(of: "number INTEGER")
        else { return }
        let known = try RowPage.read(table, keys: keys, on: connection).pairs(text: words, number: number)
        let numbers = Set(known.map(\.number))
        for event in page.pairs(text: words, number: number) where !numbers.contains(event.number) {
            try connection.run(add, [.integer(event.number), .text(event.text)])
        }
    }
}

/// Rows of which it isn't known whether both sides have the same.
struct UnprovenRows {
    private var keys: [String: Set<[String]>] = [:]

    var count: Int { keys.values.reduce(0) { $0 + $1.count } }

    var first: (table: String, key: String)? {
        for (table, keys) in keys {
            if let key = keys.first { return (table, key.joined(separator: ", ")) }
        }
        return nil
    }

    mutating func add(_ changes: RowChanges) {
        for (table, keys) in changes.tables { add(keys, of: table.name) }
    }

    mutating func add(_ keys: some Collection<[String]>, of table: String) {
        guard !keys.isEmpty else { return }
        self.keys[table, default: []].formUnion(keys)
    }

    mutating func add(differencesOf one: RowPage, and other: RowPage, in table: StoredTable) {
        let (one, other) = (one.checksums, other.checksums)
        let differing = Set(one.keys).union(other.keys).filter { one[$0] != other[$0] }
        add(differing, of: table.name)
    }

    mutating func remove(_ proven: [[String]], of table: StoredTable) { keys[table.name]?.subtract(proven) }

    /// All of them, at most so many at a time.
    func pages(of length: Int) -> [(table: StoredTable, keys: [[String]])] {
        StoredTable.all.flatMap { table in
            let all = Array(keys[table.name] ?? [])
            return stride(from: 0, to: all.count, by: length).map { start in
                (table, Array(all[start..<min(start + length, all.count)]))
            }
        }
    }
}
