import Synchronization

/// One SQL text with `$1`, `$2`, … where its parameters go.
///
/// Made once and kept in a `static let`: a driver keeps what it prepared under ``slot``, so that running a statement
/// again costs an array access. Making them in a loop makes every connection's table grow.
public final class SQLStatement: Sendable {
    /// The text, with parameters numbered from 1 without gaps. A parameter may appear more than once.
    public let text: String
    /// Small number, unique in the process.
    public let slot: Int

    private static let nextSlot = Atomic<Int>(0)

    public init(_ text: String) {
        self.text = text
        slot = Self.nextSlot.wrappingAdd(1, ordering: .relaxed).oldValue
    }
}

/// One act on many rows, in both ways an engine may take it.
///
/// Both texts have the same parameters: single values in ``each``, one array per parameter in ``all``.
public struct BatchStatement: Sendable {
    /// Run once for each row, by engines in this process.
    public let each: SQLStatement
    /// Run once for all rows, by engines at the other end of a wire. Its last result column is the row's position in
    /// the batch, counted from 1 (`WITH ORDINALITY`); the columns before it are those of ``each``.
    public let all: SQLStatement

    public init(each: String, all: String) {
        self.each = SQLStatement(each)
        self.all = SQLStatement(all)
    }
}
