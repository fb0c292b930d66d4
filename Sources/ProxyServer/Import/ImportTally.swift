/// How many things of a kind there were to be imported, and what became of them.
public struct ImportTally: Hashable, Sendable {
    public let found: Int
    /// How many were written, or would be.
    public let written: Int
    /// How many were there already, and stayed as they are.
    public var there: Int { found - written }
}
