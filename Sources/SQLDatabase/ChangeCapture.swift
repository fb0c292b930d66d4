/// How an engine notes which rows of a table change, and refuses changes once the database has moved: scripts over the tables `moves`
/// and `move_changes`.
public struct ChangeCapture: Sendable {
    /// Run first in a transaction that begins or ends to note: has it fail soon rather than keep others waiting.
    public let patience: String
    /// Run once before any ``begin(_:_:)``.
    public let prepare: String
    /// A script from which on each change of a row of `table` adds the row's key to `move_changes`, in the change's own transaction,
    /// and fails with ``SQLError/Kind/moved`` while `moves` says anything but `following`.
    public let begin: @Sendable (_ table: String, _ key: [String]) -> String
    /// A script that ends what ``begin(_:_:)`` began, if it did.
    public let end: @Sendable (_ table: String) -> String
    /// Run once after the last ``end(_:)``.
    public let cleanUp: String
    /// Run first in the transaction that closes the database: what others have begun to change is then committed or undone. `nil`
    /// where there is only one writer anyway.
    public let fence: SQLStatement?

    public init(
        patience: String = "", prepare: String = "",
        begin: @escaping @Sendable (_ table: String, _ key: [String]) -> String,
        end: @escaping @Sendable (_ table: String) -> String, cleanUp: String = "", fence: SQLStatement? = nil
    ) {
        self.patience = patience
        self.prepare = prepare
        self.begin = begin
        self.end = end
        self.cleanUp = cleanUp
        self.fence = fence
    }

    /// The columns of `move_changes` that hold a key, in order.
    public static let keyColumns = ["key_1", "key_2", "key_3", "key_4"]
    /// What a refused change is told.
    public static let refusal = "the database has moved"
}
