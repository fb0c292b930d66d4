import CSQLite
import SQLDatabase

/// A prepared statement of one connection.
final class SQLiteStatement {
    let handle: OpaquePointer
    let isReadOnly: Bool
    let columnCount: Int
    /// For each of SQLite's parameters, which of ours it is. SQLite numbers `$3`, `$1` in the order it meets them.
    private let order: [Int32]

    init(_ text: String, on database: OpaquePointer) throws(SQLError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(database, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw SQLiteFailure.error(code, on: database) }
        handle = prepared
        isReadOnly = sqlite3_stmt_readonly(prepared) != 0
        columnCount = Int(sqlite3_column_count(prepared))
        order = (0..<sqlite3_bind_parameter_count(prepared)).map { index in
            guard let name = sqlite3_bind_parameter_name(prepared, index + 1) else { return index }
            return (Int32(String(cString: name + 1)) ?? index + 1) - 1
        }
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds values without copying texts: `parameters` must stay as they are until ``reset()``.
    func bind(_ parameters: borrowing SQLParameters, first: Int) -> Int32 {
        for (index, ours) in order.enumerated() {
            let place = Int32(index + 1)
            let code: Int32
            switch parameters.slots[first + Int(ours)] {
            case .null: code = sqlite3_bind_null(handle, place)
            case .integer(let number): code = sqlite3_bind_int64(handle, place, number)
            case .text(let offset, let count):
                let start = parameters.base.map { ($0 + Int(offset)).assumingMemoryBound(to: CChar.self) }
                // No destructor is SQLITE_STATIC: SQLite reads the bytes where they are.
                code = sqlite3_bind_text(handle, place, start, count, nil)
            }
            guard code == SQLITE_OK else { return code }
        }
        return SQLITE_OK
    }

    func reset() { sqlite3_reset(handle) }
}
