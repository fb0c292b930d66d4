import SQLDatabase
import Testing

@Suite("A batch for an engine behind a wire")
struct BatchTests {
    private static let batch = BatchStatement(each: "each", all: "all")

    @Test("goes as one statement with an array for each parameter")
    func arrays() throws {
        let connection = WireConnection(positions: [2, 1])
        var rows = SQLParameters()
        for value: SQLValue in [.text("a\"b\\c"), .integer(-1), .null, .integer(.max), .text(""), .null] {
            rows.append(value)
        }
        var changed: [Int] = []
        try connection.change(Self.batch, rows, width: 2) { changed.append($0) }
        #expect(changed == [1, 0])
        #expect(connection.seen == ["all", #"{"a\"b\\c",NULL,""}"#, "{-1,9223372036854775807,NULL}"])
        connection.seen = []
        var found: [Int] = []
        try connection.query(Self.batch, rows, width: 3) { (position, _) throws(SQLError) in found.append(position) }
        #expect(found == [1, 0])
        #expect(connection.seen.count == 4)
    }

    @Test("does not go at all when it is empty")
    func empty() throws {
        let connection = WireConnection(positions: [])
        try connection.change(Self.batch, SQLParameters(), width: 2)
        #expect(connection.seen.isEmpty)
    }

    @Test("parameters keep their texts while they grow, and share them")
    func parameters() {
        var parameters = SQLParameters()
        for number in 0..<500 { parameters.append("text \(number)") }
        parameters.append(sharing: 7)
        #expect(parameters.text(at: 499) == "text 499")
        #expect(parameters.text(at: 500) == "text 7")
        parameters.removeAll()
        parameters.append(Int64?.none)
        parameters.append(String?.none)
        #expect(parameters.count == 2)
        #expect(parameters.text(at: 0) == nil)
    }
}

/// Notes what it is asked and answers with positions.
private final class WireConnection: SQLConnection {
    let positions: [Int64]
    var seen: [String] = []
    init(positions: [Int64]) { self.positions = positions }

    let dialect = Dialect(
        name: "wire", batchStyle: .arrays, locksRows: true,
        terms: .init(
            integer: "BIGINT", ownNumber: "BIGINT", text: "TEXT", instant: "TEXT", keyedTable: "",
            wordIndex: { _ in "" }),
        search: .init(wordsMatch: { _, _ in "" }, memberText: { _, _ in "" }),
        capture: .init(begin: { _, _ in "" }, end: { _ in "" }))
    var interrupter: any SQLInterrupter { NoInterrupter() }
    var isInTransaction: Bool { false }
    var isLost: Bool { false }

    func run(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters, first: Int, count: Int,
        row: (any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) -> Int {
        seen.append(statement.text)
        for index in first..<first + count { seen.append(parameters.text(at: index) ?? "") }
        for position in positions { try row(PositionRow(position: position)) }
        return 0
    }
    func runScript(_ text: String) throws(SQLError) {}
    func begin(_ mode: TransactionMode) throws(SQLError) {}
    func commit() throws(SQLError) {}
    func rollback() throws(SQLError) {}
    func close() {}
}

private struct PositionRow: SQLRow {
    let position: Int64
    var columnCount: Int { 1 }
    func isNull(at column: Int) -> Bool { false }
    func integer(at column: Int) -> Int64 { position }
    func text(at column: Int) -> String { "" }
    func withText<Value>(at column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        body(.init(start: nil, count: 0))
    }
}

private struct NoInterrupter: SQLInterrupter {
    func raise() {}
    func lower() {}
}
