import ProxyManagement

/// What the API tells of a database.
extension JSONValue {
    /// The same with members that have names in place of lists, for ``lines``.
    var databaseFacts: JSONValue {
        setting([
            named("migrations") { ($1["version"].cell, "\($1["name"].cell), \($1["applied_at"].instant(19))") },
            named("copies") { ("\($0)", Self.copy($1)) },
            named("instances") { ($1["id"].cell, "progress \($1["progress"].cell)") },
            named("sizes") { ($1["name"].cell, "\($1["bytes"].cell) bytes") },
            named("warnings") { ("\($0)", $1.cell) },
        ])
    }

    private static func copy(_ copy: JSONValue) -> String {
        "\(copy["source"].cell), \(copy["began_at"].instant(19)) to \(copy["ended_at"].instant(19))"
    }

    /// A list of this object as an object.
    /// - Parameter entry: gives a thing's name and text; the first thing has the number 1.
    private func named(
        _ list: String, _ entry: (_ number: Int, _ thing: JSONValue) -> (name: String, text: String)
    ) -> (String, JSONValue) {
        var members: [(String, JSONValue)] = []
        for (index, thing) in self[list].items.enumerated() {
            let (name, text) = entry(index + 1, thing)
            members.append((name, .string(text)))
        }
        return (list, .object(members))
    }

    /// What checking one invariant found.
    var findingLines: [String] {
        let violations = self["violations"]
        let verdict = violations == .number("0") ? "holds" : "BROKEN: \(violations.cell) violations"
        var lines = ["\(self["invariant"].cell): \(verdict) (\(self["checked"].cell) checked)".printable]
        for example in self["examples"].items { lines.append("  \(example.cell)".printable) }
        return lines
    }
}
