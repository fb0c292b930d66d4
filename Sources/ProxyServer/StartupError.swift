/// Why a server did not start: one line that names the setting or file, what was found, and the remedy. No secrets.
public struct StartupError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
