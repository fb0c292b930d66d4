/// Says on one line what a fixture could not do, with a remedy where there is one. Never holds a password.
public struct FixtureError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, on one line.
    public let description: String

    /// Line ends in `text` become ` | `.
    package init(_ text: String) {
        description = text.split(whereSeparator: \.isNewline).joined(separator: " | ")
    }
}
