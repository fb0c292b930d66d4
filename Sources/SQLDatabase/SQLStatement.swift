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

    /// How many values a run takes: the highest number among the parameters.
    public let parameterCount: Int

    private static let nextSlot = Atomic<Int>(0)

    public init(_ text: String) {
        self.text = text
        slot = Self.nextSlot.wrappingAdd(1, ordering: .relaxed).oldValue
        parameterCount = Self.highestParameter(in: text)
    }

    /// Refuses a run with another number of values: for drivers, before they bind any.
    public func checkCount(_ count: Int) throws(SQLError) {
        guard parameterCount == count else {
            throw SQLError(.other, detail: "\(parameterCount) parameters wanted, \(count) given")
        }
    }

    private static func highestParameter(in text: String) -> Int {
        text.split(separator: "$").dropFirst().compactMap { Int($0.prefix { $0.isASCII && $0.isNumber }) }.max() ?? 0
    }
}

/// One act on many rows, in both ways an engine may take it.
///
/// Both texts have the same parameters: single values in ``each``, one array per parameter in ``all``.
public struct BatchStatement: Sendable {
    /// How a result row of ``all`` tells which of the batch's rows it is about.
    public enum Tag: Sendable {
        /// Its last column is the row's position, counted from 1 (`WITH ORDINALITY`).
        case position
        /// Its last column is the row's first parameter, which no two rows share. For statements that can't return a
        /// position; cheap when results come in the batch's order.
        case firstParameter
    }

    /// Run once for each row, by engines in this process.
    public let each: SQLStatement
    /// Run once for all rows, by engines at the other end of a wire. Its last result column is the ``tag``; the columns
    /// before it are those of ``each``.
    public let all: SQLStatement
    public let tag: Tag

    public init(each: String, all: String, tag: Tag = .position) {
        self.each = SQLStatement(each)
        self.all = SQLStatement(all)
        self.tag = tag
    }
}
