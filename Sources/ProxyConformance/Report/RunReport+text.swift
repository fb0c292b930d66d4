extension RunReport {
    /// The matrix for a terminal: one line for each scenario, and reasons below.
    public var text: String {
        var lines = ["Conformance: \(summary)"]
        for catalogue in catalogues {
            let backends = backends(of: catalogue)
            let rows = rows(of: catalogue)
            let width = (rows.map(\.scenario.count).max() ?? 0) + 2
            lines.append("")
            lines.append(catalogue.padded(to: width) + backends.map { $0.padded(to: $0.count + 2) }.joined())
            for row in rows {
                let cells = backends.map { backend in
                    (row.entries[backend]?.verdict.word ?? "NOT RUN").padded(to: max(backend.count, 7) + 2)
                }
                lines.append(row.scenario.padded(to: width) + cells.joined())
            }
        }
        let reasons = entries.filter { !$0.verdict.reason.isEmpty }.sorted { $0.scenario < $1.scenario }
        if !reasons.isEmpty { lines.append("") }
        for entry in reasons {
            lines.append("\(entry.verdict.word) \(entry.scenario) [\(entry.backend)] \(entry.verdict.reason)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The matrix as a page of Markdown: one table for each catalogue.
    public var markdown: String {
        var lines = ["# Conformance", "", summary + "."]
        for catalogue in catalogues {
            let backends = backends(of: catalogue)
            lines += ["", "## \(catalogue)", ""]
            lines.append("| scenario | promise | " + backends.joined(separator: " | ") + " |")
            lines.append("|---|---|" + String(repeating: "---|", count: backends.count))
            for row in rows(of: catalogue) {
                let cells = backends.map { row.entries[$0]?.verdict.markdownCell ?? "**not run**" }
                lines.append("| `\(row.scenario)` | \(row.promise) | " + cells.joined(separator: " | ") + " |")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Verdict {
    fileprivate var markdownCell: String {
        switch self {
        case .kept: "pass"
        case .notApplicable(let missing): "n/a (\(missing))"
        case .broken, .vacuous:
            "**FAIL** "
                + reason.map { $0 == "|" ? "\\|" : $0 == "\n" ? "<br>" : String($0) }.joined()
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }
}
