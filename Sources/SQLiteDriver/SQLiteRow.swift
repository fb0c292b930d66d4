import CSQLite
import SQLDatabase

/// The row a statement stands on.
struct SQLiteRow: SQLRow {
    let statement: OpaquePointer

    var columnCount: Int { Int(sqlite3_data_count(statement)) }

    func isNull(at column: Int) -> Bool { sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL }

    func integer(at column: Int) -> Int64 { sqlite3_column_int64(statement, Int32(column)) }

    func text(at column: Int) -> String { withText(at: column) { String(decoding: $0, as: UTF8.self) } }

    func withText<Value>(at column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        let start = sqlite3_column_text(statement, Int32(column))
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }
}
