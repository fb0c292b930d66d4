import ProxyManagement
import ProxyServer

/// What an import from the Go proxy says of itself.
struct GoProxyImportReport {
    let outcome: GoProxyImport.Outcome
    let isDryRun: Bool
    let reissueFile: String?

    // MARK: As text

    var text: String {
        (heading + refusals + outcome.remarks).map(\.printable).joined(separator: "\n")
    }

    private var heading: [String] {
        guard !outcome.changedNothing else {
            return ["nothing to do: all that \(outcome.source) has is in \(outcome.target) already"]
        }
        let verb = isDryRun ? "would import" : "imported"
        var lines = ["\(verb) from \(outcome.source) into \(outcome.target)"]
        lines.append("  projects: \(told(outcome.projects))")
        lines.append("  tokens: \(told(outcome.tokens)), with \(outcome.requests) requests")
        if !outcome.reissued.isEmpty, let reissueFile {
            let place = isDryRun ? "would be" : "are"
            lines.append("  new tokens for \(outcome.reissued.count) of them \(place) in \(reissueFile): hand them out")
        }
        if !isDryRun {
            lines.append("Keep the Go proxy stopped: what it counts from now on is not here.")
        }
        return lines
    }

    private func told(_ tally: ImportTally) -> String {
        "\(tally.written) of \(tally.found)" + (tally.there > 0 ? ", the others were there already" : "")
    }

    private var refusals: [String] {
        guard !outcome.refused.isEmpty else { return [] }
        let each = outcome.refused.map { token in
            let why =
                switch token.reason {
                case .form: "is not of a form that servers take"
                case .hashed: "is stored as a hash, and servers don't take what the Go proxy issues"
                }
            return "token \(token.identifier) of '\(token.project)', \(token.hint), \(why)"
        }
        return each + ["clients of these \(each.count) tokens are refused: make new ones with --reissue FILE"]
    }

    // MARK: As JSON

    var document: String {
        JSONValue.object([
            ("source", .string(outcome.source)), ("target", .string(outcome.target)), ("dry_run", .bool(isDryRun)),
            ("changed_nothing", .bool(outcome.changedNothing)), ("projects", json(outcome.projects)),
            ("tokens", json(outcome.tokens)), ("requests", .integer(outcome.requests)),
            ("reissued", .integer(outcome.reissued.count)),
            ("reissue_file", .text(outcome.reissued.isEmpty || isDryRun ? nil : reissueFile)),
            ("refused", .array(outcome.refused.map(json))), ("remarks", .names(outcome.remarks)),
        ]).text
    }

    private func json(_ tally: ImportTally) -> JSONValue {
        .object([
            ("found", .integer(tally.found)), ("written", .integer(tally.written)), ("there", .integer(tally.there)),
        ])
    }

    private func json(_ token: RefusedToken) -> JSONValue {
        .object([
            ("id", .string(token.identifier)), ("project", .string(token.project)), ("hint", .string(token.hint)),
            ("reason", .string(token.reason.rawValue)),
        ])
    }
}
