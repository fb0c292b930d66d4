/// Names and values as a form or a query sends them (`application/x-www-form-urlencoded`).
struct Form: Sendable {
    private let pairs: [(name: String, value: String)]

    init(_ text: some StringProtocol) {
        var pairs: [(name: String, value: String)] = []
        for item in String(text).split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? Percent.decoded(parts[1], isForm: true) : ""
            pairs.append((Percent.decoded(parts[0], isForm: true), value))
        }
        self.pairs = pairs
    }

    /// A field's first value without blanks around it; empty without one.
    subscript(name: String) -> String { Self.trimmed(raw(name)) }

    /// A field's first value as it came.
    func raw(_ name: String) -> String { pairs.first { $0.name == name }?.value ?? "" }

    /// All values of a field, as check boxes of one name send them.
    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    func has(_ name: String) -> Bool { pairs.contains { $0.name == name } }

    /// The lines of a field that are not blank.
    func lines(_ name: String) -> [String] {
        raw(name).split(whereSeparator: \.isNewline).map { Self.trimmed($0) }.filter { !$0.isEmpty }
    }

    /// Those of the named fields that have a value, to send them on.
    func given(_ names: [String]) -> [(String, String)] {
        var given: [(String, String)] = []
        for name in names where !self[name].isEmpty { given.append((name, self[name])) }
        return given
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let start = text.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
