extension SQLConnection {
    /// Runs a reading batch over rows of `width` parameters each.
    /// - Parameter row: gets the position of the batch's row, from 0, and what was found for it. In no given order.
    public func query(
        _ batch: BatchStatement, _ rows: borrowing SQLParameters, width: Int,
        row: (Int, any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) {
        guard rows.count > 0 else { return }
        switch dialect.batchStyle {
        case .eachRow:
            for position in 0..<rows.count / width {
                try run(batch.each, rows, first: position * width, count: width) { (found) throws(SQLError) in
                    try row(position, found)
                }
            }
        case .arrays:
            try runArrays(batch.all, rows, width: width, row: row)
        }
    }

    /// Runs a writing batch over rows of `width` parameters each.
    /// - Parameter changed: gets the position, from 0, of each of the batch's rows that changed anything. In no given
    ///   order, and once each.
    public func change(
        _ batch: BatchStatement, _ rows: borrowing SQLParameters, width: Int, changed: (Int) -> Void = { _ in }
    ) throws(SQLError) {
        guard rows.count > 0 else { return }
        switch dialect.batchStyle {
        case .eachRow:
            for position in 0..<rows.count / width
            where try run(batch.each, rows, first: position * width, count: width, row: { _ in }) > 0 {
                changed(position)
            }
        case .arrays:
            try runArrays(batch.all, rows, width: width) { position, _ in changed(position) }
        }
    }

    private func runArrays(
        _ statement: SQLStatement, _ rows: borrowing SQLParameters, width: Int,
        row: (Int, any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) {
        let arrays = ArrayParameters.columns(of: rows, width: width)
        try run(statement, arrays, first: 0, count: width) { (found) throws(SQLError) in
            try row(Int(found.integer(at: found.columnCount - 1)) - 1, found)
        }
    }
}

/// Turns rows into one array per column, in PostgreSQL's text form (manual, section 8.15.2).
enum ArrayParameters {
    static func columns(of rows: borrowing SQLParameters, width: Int) -> SQLParameters {
        var arrays = SQLParameters()
        var literal: [UInt8] = []
        for column in 0..<width {
            literal.removeAll(keepingCapacity: true)
            literal.append(UInt8(ascii: "{"))
            for index in stride(from: column, to: rows.count, by: width) {
                if index > column { literal.append(UInt8(ascii: ",")) }
                append(rows.slots[index], from: rows.base, to: &literal)
            }
            literal.append(UInt8(ascii: "}"))
            literal.withUnsafeBytes { bytes in
                arrays.appendText(count: bytes.count) { $0.copyMemory(from: bytes) }
            }
        }
        return arrays
    }

    private static func append(_ slot: SQLParameters.Slot, from base: UnsafeRawPointer?, to literal: inout [UInt8]) {
        switch slot {
        case .null: literal.append(contentsOf: "NULL".utf8)
        case .integer(let number): literal.append(contentsOf: String(number).utf8)
        case .text(let offset, let count):
            literal.append(UInt8(ascii: "\""))
            for byte in UnsafeRawBufferPointer(start: base.map { $0 + Int(offset) }, count: Int(count)) {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { literal.append(UInt8(ascii: "\\")) }
                literal.append(byte)
            }
            literal.append(UInt8(ascii: "\""))
        }
    }
}
