import CSQLite
import SQLDatabase

/// A prepared statement of one connection.
final class SQLiteStatement {
    let handle: OpaquePointer
    let isReadOnly: Bool
    let columnCount: Int
    /// For each of SQLite's parameters, which of ours it is. SQLite numbers `$3`, `$1` in the order it meets them.
    private let order: [Int32]
    /// What SQLite holds of each of its parameters: it keeps them when a statement is reset (sqlite.org/c3ref/reset.html).
    /// Not an array: that would ask with each value whether it is shared.
    private let bound: UnsafeMutableBufferPointer<Bound>
    private let readsTextsInPlace: Bool

    fileprivate enum Bound: Equatable, BitwiseCopyable {
        case nothing
        case null
        case integer(Int64)
        case text(UnsafePointer<CChar>?, count: Int32)
    }

    /// - Parameter readsTextsInPlace: whether SQLite takes UTF-8 as it is: then a text at the place of the one before need not be
    ///   bound anew, whatever it says.
    init(_ text: String, on database: OpaquePointer, readsTextsInPlace: Bool) throws(SQLError) {
        self.readsTextsInPlace = readsTextsInPlace
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
        bound = .allocate(capacity: order.count)
        bound.initialize(repeating: .nothing)
    }

    deinit {
        sqlite3_finalize(handle)
        bound.deallocate()
    }

    /// Binds values without copying texts: `parameters` must stay as they are until ``reset()``. What is bound already is left.
    func bind(_ parameters: borrowing SQLParameters, first: Int) -> Int32 {
        for index in order.indices {
            let wanted = Bound(parameters.slots[first + Int(order[index])], textsAt: parameters.base)
            guard wanted != bound[index] else { continue }
            let code = bind(wanted, at: Int32(index + 1))
            guard code == SQLITE_OK else {
                bound[index] = .nothing
                return code
            }
            if case .text = wanted, !readsTextsInPlace { bound[index] = .nothing } else { bound[index] = wanted }
        }
        return SQLITE_OK
    }

    private func bind(_ value: Bound, at place: Int32) -> Int32 {
        switch value {
        case .nothing, .null: sqlite3_bind_null(handle, place)
        case .integer(let number): sqlite3_bind_int64(handle, place, number)
        // No destructor is SQLITE_STATIC: SQLite reads the bytes where they are.
        case .text(let start, let count): sqlite3_bind_text(handle, place, start, count, nil)
        }
    }

    func reset() { sqlite3_reset(handle) }
}

extension SQLiteStatement.Bound {
    init(_ slot: SQLParameters.Slot, textsAt base: UnsafeRawPointer?) {
        switch slot {
        case .null: self = .null
        case .integer(let number): self = .integer(number)
        case .text(let offset, let count):
            self = .text(base.map { ($0 + Int(offset)).assumingMemoryBound(to: CChar.self) }, count: count)
        }
    }
}
