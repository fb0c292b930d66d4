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
            for column in 0..<table.width { page.take(row, column) }
        }
        return page
    }

    /// The key of the last row of `table`; `nil` without one.
    static func last(of table: StoredTable, on connection: any SQLConnection) throws(SQLError) -> [SQLValue]? {
        try connection.first(table.last) { (row) throws(SQLError) in
            table.keyPositions.map { .text(row.text(at: $0)) }
        }
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
    func insert(on connection: any SQLConnection) throws(SQLError) {
        guard count > 0 else { return }
        switch connection.dialect.batchStyle {
        case .eachRow:
            for row in 0..<count {
                try connection.run(
                    table.insert.each, values, first: row * table.width, count: table.width, row: { _ in })
            }
        case .arrays:
            var arrays = SQLParameters()
            arrays.append(columnsOf: values, width: table.width)
            try connection.run(table.insert.all, arrays)
        }
    }

    /// Adds these rows to a checksum.
    func add(to checksum: inout TableChecksum) {
        for row in 0..<count {
            checksum.add(values.slots[row * table.width..<(row + 1) * table.width], textsAt: values.base)
        }
    }
}
