extension SQLConnection {
    /// Enqueues a reading batch over rows of `width` parameters each.
    /// - Parameter row: gets the position of the batch's row, from 0, and what was found for it. In no given order.
    public func enqueueQuery(
        _ batch: BatchStatement, _ rows: borrowing SQLParameters, width: Int,
        row: @escaping (Int, any SQLRow) throws(SQLError) -> Void
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
            try enqueueArrays(batch, rows, width: width, row: row)
        }
    }

    /// Enqueues a writing batch over rows of `width` parameters each.
    /// - Parameter changed: gets the position, from 0, of each of the batch's rows that changed anything. In no given
    ///   order, and once each.
    public func enqueueChange(
        _ batch: BatchStatement, _ rows: borrowing SQLParameters, width: Int,
        changed: @escaping (Int) -> Void = { _ in }
    ) throws(SQLError) {
        guard rows.count > 0 else { return }
        switch dialect.batchStyle {
        case .eachRow:
            for position in 0..<rows.count / width
            where try run(batch.each, rows, first: position * width, count: width, row: { _ in }) > 0 {
                changed(position)
            }
        case .arrays:
            try enqueueArrays(batch, rows, width: width) { position, _ in changed(position) }
        }
    }

    /// Runs a reading batch; see ``enqueueQuery(_:_:width:row:)``.
    public func query(
        _ batch: BatchStatement, _ rows: borrowing SQLParameters, width: Int,
        row: @escaping (Int, any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) {
        try enqueueQuery(batch, rows, width: width, row: row)
        try complete()
    }

    /// Runs a writing batch; see ``enqueueChange(_:_:width:changed:)``.
    public func change(
        _ batch: BatchStatement, _ rows: borrowing SQLParameters, width: Int,
        changed: @escaping (Int) -> Void = { _ in }
    ) throws(SQLError) {
        try enqueueChange(batch, rows, width: width, changed: changed)
        try complete()
    }

    private func enqueueArrays(
        _ batch: BatchStatement, _ rows: borrowing SQLParameters, width: Int,
        row: @escaping (Int, any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) {
        var arrays = SQLParameters()
        arrays.append(columnsOf: rows, width: width)
        switch batch.tag {
        case .position:
            try enqueue(batch.all, arrays, first: 0, count: width) { (found) throws(SQLError) in
                try row(Int(found.integer(at: found.columnCount - 1)) - 1, found)
            }
        case .firstParameter:
            let keys = BatchKeys(rows, width: width)
            var next = 0
            try enqueue(batch.all, arrays, first: 0, count: width) { (found) throws(SQLError) in
                let position = found.withText(at: found.columnCount - 1) { keys.position(of: $0, from: next) }
                guard let position else { throw SQLError(.other, detail: "a result about no row of the batch") }
                next = position + 1
                try row(position, found)
            }
        }
    }
}

/// The first parameter of each of a batch's rows, kept until its results come.
private struct BatchKeys {
    private var bytes: [UInt8] = []
    /// Where each key ends in ``bytes``.
    private var ends: [Int] = []

    init(_ rows: borrowing SQLParameters, width: Int) {
        for index in stride(from: 0, to: rows.count, by: width) {
            if case .text(let offset, let count) = rows.slots[index], let base = rows.base {
                bytes.append(contentsOf: UnsafeRawBufferPointer(start: base + Int(offset), count: Int(count)))
            }
            ends.append(bytes.count)
        }
    }

    /// The row whose key is `text`, looked for from the row at `from` on, and then before it.
    func position(of text: UnsafeRawBufferPointer, from: Int) -> Int? {
        for step in ends.indices {
            let position = (from + step) % ends.count
            let start = position == 0 ? 0 : ends[position - 1]
            if bytes[start..<ends[position]].elementsEqual(text) { return position }
        }
        return nil
    }
}

extension SQLParameters {
    /// Adds one array per column of `rows`, in PostgreSQL's text form (manual, section 8.15.2): empty ones without rows.
    public mutating func append(columnsOf rows: borrowing SQLParameters, width: Int) {
        var literal: [UInt8] = []
        for column in 0..<width {
            literal.removeAll(keepingCapacity: true)
            literal.append(UInt8(ascii: "{"))
            for index in stride(from: column, to: rows.count, by: width) {
                if index > column { literal.append(UInt8(ascii: ",")) }
                Self.append(rows.slots[index], from: rows.base, to: &literal)
            }
            literal.append(UInt8(ascii: "}"))
            literal.withUnsafeBytes { bytes in
                appendText(count: bytes.count) { $0.copyMemory(from: bytes) }
            }
        }
    }

    private static func append(_ slot: Slot, from base: UnsafeRawPointer?, to literal: inout [UInt8]) {
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
