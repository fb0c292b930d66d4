/// One row of a result, lent while a statement stands on it: not to be kept.
///
/// Columns are counted from 0. Asking for one that does not exist is a programming error.
public protocol SQLRow {
    /// How many columns the result has.
    var columnCount: Int { get }
    func isNull(at column: Int) -> Bool
    /// The number; 0 for NULL and for what is not a number.
    func integer(at column: Int) -> Int64
    /// The text; empty for NULL.
    func text(at column: Int) -> String
    /// Lends the column's UTF-8 bytes, none for NULL, without making a string.
    func withText<Value>(at column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value
}

extension SQLRow {
    /// The text, or `nil` for NULL.
    public func optionalText(at column: Int) -> String? { isNull(at: column) ? nil : text(at: column) }
    /// The number, or `nil` for NULL.
    public func optionalInteger(at column: Int) -> Int64? { isNull(at: column) ? nil : integer(at: column) }
}
