import SQLDatabase

/// Some rows of a table, in the order of its key, on their way from one engine to another.
///
/// `@unchecked Sendable`: written by `read` alone, before anybody else has it; from then on it is only read.
final class RowPage: @unchecked Sendable {
    private let table: StoredTable
    private var values = SQLParameters()

    var count: Int { values.count / table.width }
    /// Whether there may be rows after these.
    var isFull: Bool { count == StoredTable.pageLength }

    private init(_ table: StoredTable) { self.table = table }

    /// The rows of `table` after `key`, or its first ones.
    static func read(
        _ table: StoredTable, after key: [SQLValue]?, on connection: any SQLConnection
    ) throws(SQLError) -> RowPage {
        let page = RowPage(table)
        try connection.run(key == nil ? table.firstPage : table.nextPage, key ?? []) { (row) throws(SQLError) in
            page.take(row)
        }
        return page
    }

    /// The rows of `table` after `key`, or its first ones, up to the one at `end`.
    static func read(
        _ table: StoredTable, after key: [SQLValue]?, upTo end: [SQLValue], on connection: any SQLConnection
    ) throws(SQLError) -> RowPage {
        let page = RowPage(table)
        let statement = key == nil ? table.pageUpTo : table.nextPageUpTo
        try connection.run(statement, (key ?? []) + end) { (row) throws(SQLError) in page.take(row) }
        return page
    }

    /// Those rows of `table` that there are of the ones with these keys, in the keys' order.
    static func read(
        _ table: StoredTable, keys: [[String]], on connection: any SQLConnection
    ) throws(SQLError) -> RowPage {
        let page = RowPage(table)
        try connection.query(table.rows, SQLParameters(keys: keys), width: table.key.count) {
            (_, row) throws(SQLError) in page.take(row)
        }
        return page
    }

    /// The key of the last row of `table`; `nil` without one.
    static func last(of table: StoredTable, on connection: any SQLConnection) throws(SQLError) -> [SQLValue]? {
        try connection.first(table.last) { (row) throws(SQLError) in
            table.keyPositions.map { .text(row.text(at: $0)) }
        }
    }

    private func take(_ row: any SQLRow) {
        for column in 0..<table.width { take(row, column) }
    }

    private func take(_ row: any SQLRow, _ column: Int) {
        if row.isNull(at: column) {
            values.appendNull()
        } else if table.isText(column) {
            row.withText(at: column) { bytes in values.appendText(count: bytes.count) { $0.copyMemory(from: bytes) } }
        } else {
            values.append(row.integer(at: column))
        }
    }

    /// The key of the last row; `nil` without one.
    var lastKey: [SQLValue]? {
        guard count > 0 else { return nil }
        let first = values.count - table.width
        return table.keyPositions.map { .optional(values.text(at: first + $0)) }
    }

    /// Adds these rows to the table of the same name.
    /// - Parameter replacing: whether they take the place of rows with their keys.
    func insert(replacing: Bool = false, on connection: any SQLConnection) throws(SQLError) {
        guard count > 0 else { return }
        let insert = replacing ? table.replace : table.insert
        switch connection.dialect.batchStyle {
        case .eachRow:
            for row in 0..<count {
                try connection.run(
                    insert.each, values, first: row * table.width, count: table.width, row: { _ in })
            }
        case .arrays:
            var arrays = SQLParameters()
            arrays.append(columnsOf: values, width: table.width)
            try connection.run(insert.all, arrays)
        }
    }

    /// Takes names that these rows have from others that still have them: those have changed too, and are brought later.
    /// - Returns: the keys of those others.
    func parkNames(on connection: any SQLConnection) throws(SQLError) -> [[String]] {
        guard let park = table.park else { return [] }
        var parked: [[String]] = []
        for row in 0..<count {
            let first = row * table.width
            if let end = table.nameEnd, values.text(at: first + end) != nil { continue }
            let asked = [SQLValue.optional(values.text(at: first)), .optional(values.text(at: first + 1))]
            try connection.run(park, asked) { (row) throws(SQLError) in parked.append([row.text(at: 0)]) }
        }
        return parked
    }

    /// Adds these rows to a checksum.
    func add(to checksum: inout TableChecksum) {
        for row in 0..<count { add(row, to: &checksum) }
    }

    private func add(_ row: Int, to checksum: inout TableChecksum) {
        checksum.add(values.slots[row * table.width..<(row + 1) * table.width], textsAt: values.base)
    }

    /// Whether both hold the same rows.
    func isSame(as other: RowPage) -> Bool {
        var (one, another) = (TableChecksum(), TableChecksum())
        add(to: &one)
        other.add(to: &another)
        return one == another
    }

    /// The checksum of each row, by its key.
    var checksums: [[String]: TableChecksum] {
        var checksums: [[String]: TableChecksum] = [:]
        for row in 0..<count {
            var checksum = TableChecksum()
            add(row, to: &checksum)
            checksums[key(of: row)] = checksum
        }
        return checksums
    }

    private func key(of row: Int) -> [String] {
        table.keyPositions.map { values.text(at: row * table.width + $0) ?? "" }
    }

    /// What each row has in two of its columns, a text and a number.
    func pairs(text: Int, number: Int) -> [(text: String, number: Int64)] {
        (0..<count).map { row in
            let first = row * table.width
            guard case .integer(let found) = values.slots[first + number] else { return ("", 0) }
            return (values.text(at: first + text) ?? "", found)
        }
    }
}

extension SQLParameters {
    /// One parameter for each part of each key.
    init(keys: [[String]]) {
        self.init(keys.flatMap { $0.map { SQLValue.text($0) } })
    }
}
