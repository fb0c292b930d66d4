/// What a statement is given and a row gives back. No blobs, no floats, no booleans: both engines agree on these three.
public enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case text(String)

    /// The text, or SQL's NULL for `nil`.
    public static func optional(_ text: String?) -> Self { text.map(Self.text) ?? .null }
    /// The number, or SQL's NULL for `nil`.
    public static func optional(_ number: Int64?) -> Self { number.map(Self.integer) ?? .null }
}
