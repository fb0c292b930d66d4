/// One thing that is wrong with the settings, told in one line: where, what was found, the rule, and what to do.
public struct SettingFault: Hashable, Sendable, CustomStringConvertible {
    /// The setting's name, or the file and line: `LISTEN_ADDR`, `.env line 3`, `providers.yaml line 7`.
    public let place: String
    /// What was found, fit to print: cut to one short line, and never a secret. `nil` where nothing was found.
    public let found: String?
    /// What must hold, as a sentence goes on that begins with the place.
    public let rule: String
    /// What to do about it.
    public let remedy: String

    /// `found` is the raw text; pass `nil` for a secret.
    init(_ place: String, found: String? = nil, _ rule: String, remedy: String) {
        self.place = place
        self.found = found.map(Self.printable)
        self.rule = rule
        self.remedy = remedy
    }

    public var description: String {
        let shown = found.map { ", not \"\($0)\"" } ?? ""
        return "\(place) \(rule)\(shown); \(remedy)"
    }

    /// At most 80 characters, without control characters, and without what an address holds before its `@`.
    static func printable(_ text: String) -> String {
        var shown = String(
            text.unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
        if text.unicodeScalars.count > 80 { shown += "…" }
        guard let at = shown.lastIndex(of: "@") else { return shown }
        return "…" + shown[at...]
    }
}

/// Everything that is wrong with the settings, so that one start finds every mistake. Holds no secret.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the order of ``ServerSettings/keys``, then of the files' lines. Never empty.
    public let faults: [SettingFault]

    /// One line per fault.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
