extension RunReport {
    /// The run as JUnit XML: one suite for each catalogue and backend, `skipped` with the reason where not applicable.
    public var junit: String {
        var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#, "<testsuites>"]
        for catalogue in catalogues {
            for backend in backends(of: catalogue) {
                lines += suite(catalogue: catalogue, backend: backend)
            }
        }
        return (lines + ["</testsuites>"]).joined(separator: "\n") + "\n"
    }

    private func suite(catalogue: String, backend: String) -> [String] {
        let mine = entries.filter { $0.catalogue == catalogue && $0.backend == backend }
            .sorted { $0.scenario < $1.scenario }
        let failures = mine.count { $0.verdict.isFailure }
        let skipped = mine.count { $0.verdict.missing != nil }
        let name = "\(catalogue).\(backend)".escapedForXML
        let open =
            "  <testsuite name=\"\(name)\" tests=\"\(mine.count)\" failures=\"\(failures)\" skipped=\"\(skipped)\">"
        return [open] + mine.flatMap { testCase($0, of: name) } + ["  </testsuite>"]
    }

    private func testCase(_ entry: Entry, of suite: String) -> [String] {
        let head =
            "    <testcase classname=\"\(suite)\" name=\"\(entry.scenario.escapedForXML)\" time=\"\(entry.duration.decimal)\""
        switch entry.verdict {
        case .kept: return [head + "/>"]
        case .notApplicable:
            return [
                head + ">", "      <skipped message=\"\(entry.verdict.reason.escapedForXML)\"/>", "    </testcase>",
            ]
        case .broken, .vacuous:
            let failure =
                "      <failure message=\"\(entry.promise.escapedForXML)\">\(entry.verdict.reason.escapedForXML)</failure>"
            return [head + ">", failure, "    </testcase>"]
        }
    }
}

extension Duration {
    /// Seconds with three decimals.
    fileprivate var decimal: String {
        let (seconds, attoseconds) = components
        let thousandths = String(attoseconds / 1_000_000_000_000_000)
        return "\(seconds).\(String(repeating: "0", count: 3 - thousandths.count))\(thousandths)"
    }
}

extension String {
    /// For element content and quoted attributes; characters that XML 1.0 §2.2 does not allow become `?`.
    fileprivate var escapedForXML: String {
        var escaped = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\n": escaped += "&#10;"
            case "\t": escaped += "&#9;"
            case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": escaped += "?"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
