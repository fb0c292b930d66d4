import CPostgres
import SQLDatabase

/// One row of a result, in PostgreSQL's text form.
struct PostgresRow: SQLRow {
    let result: OpaquePointer
    let row: Int32

    var columnCount: Int { Int(PQnfields(result)) }

    func isNull(at column: Int) -> Bool { PQgetisnull(result, row, Int32(column)) == 1 }

    func integer(at column: Int) -> Int64 {
        withText(at: column) { bytes in
            var value: Int64 = 0
            var rest = bytes[...]
            let isNegative = rest.first == UInt8(ascii: "-")
            if isNegative { rest = rest.dropFirst() }
            for byte in rest {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return 0 }
                let digit = Int64(byte - UInt8(ascii: "0"))
                value = value &* 10 &+ (isNegative ? -digit : digit)
            }
            return value
        }
    }

    func text(at column: Int) -> String { withText(at: column) { String(decoding: $0, as: UTF8.self) } }

    func withText<Value>(at column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        let start = PQgetvalue(result, row, Int32(column))
        return body(UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, Int32(column)))))
    }
}
