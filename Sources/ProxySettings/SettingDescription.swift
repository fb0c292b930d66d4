/// One setting as documentation, `--help` and the reader see it.
public struct SettingDescription: Sendable {
    /// What kind of text it takes.
    public enum Kind: Hashable, Sendable {
        case text
        case boolean
        case duration(ClosedRange<Duration>)
        /// A size in bytes.
        case size(ClosedRange<Int>)
        case integer(ClosedRange<Int>)
        case choice([String])
        case address
        case url
        case path
    }

    /// The environment variable: `LISTEN_ADDR`.
    public let name: String
    public let kind: Kind
    /// What holds when it is not set, as it would be written; `nil` when nothing does.
    public let defaultText: String?
    /// What it does, in one line.
    public let summary: String
    /// Whether its value is never printed.
    public let isSecret: Bool
    /// Another valid value than the default: for documentation, and for the test that each setting has an effect.
    public let example: String

    /// Puts the value that a text stands for into the settings, or gives the rule that the text breaks.
    let apply: @Sendable (String, inout ServerSettings) -> String?

    /// The command line's name: `--listen-addr`.
    public var flag: String { "--" + name.lowercased().map { $0 == "_" ? "-" : String($0) }.joined() }

    /// The rule in words: what a text of this kind must be.
    public var rule: String {
        switch kind {
        case .text: "must be a text"
        case .boolean: "must be true or false"
        case .duration(let range):
            "must be a duration from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        case .size(let range): "must be a size from \(range.lowerBound) to \(range.upperBound) bytes"
        case .integer(let range): "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let names): "must be \(names.joined(separator: " or "))"
        case .address: "must be an address and a port"
        case .url: "must be an http or https address without user name, query or fragment"
        case .path: "must be a path"
        }
    }

    /// What to write instead of a text that breaks the rule.
    var remedy: String {
        switch kind {
        case .duration: "write a number with its unit, such as 250ms, 90s, 30m or 1h30m"
        case .size: "write for instance 10485760, 512KiB or 10MiB"
        case .address: "write for instance :8080, 127.0.0.1:8080 or [::1]:8080"
        default: "write for instance \(name)=\(isSecret ? "…" : example)"
        }
    }

    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        return switch milliseconds {
        case 0: "0"
        case let count where count % 86_400_000 == 0: "\(count / 86_400_000)d"
        case let count where count % 3_600_000 == 0: "\(count / 3_600_000)h"
        case let count where count % 1000 == 0: "\(count / 1000)s"
        default: "\(milliseconds)ms"
        }
    }
}
