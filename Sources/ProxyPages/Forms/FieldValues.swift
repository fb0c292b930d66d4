import ProxyManagement

/// What fields of forms show: what was sent where that could not be done, or else what is.
struct FieldValues: Sendable {
    let document: Document
    /// The form that could not be done.
    let kept: Form?

    init(_ document: Document = Document(.null), kept: Form? = nil) {
        self.document = document
        self.kept = kept
    }

    func text(_ name: String, otherwise: String = "") -> String {
        if let kept { return kept.raw(name) }
        let plain = document[name].plain
        return plain.isEmpty ? otherwise : plain
    }

    /// A list with a line for each.
    func lines(_ name: String) -> String { kept?.raw(name) ?? document[name].names.joined(separator: "\n") }

    /// Models and paths that are allowed.
    var access: View { ["allowedModels": lines("allowed_models"), "allowedPaths": lines("allowed_paths")] }

    /// The fields of limits; those of a token and of a project have the same names where both have them.
    var limits: View {
        let values = FieldValues(kept == nil ? document["limits"] : document, kept: kept)
        let shadow = kept?.all("shadow") ?? document["limits"]["shadow"].names
        return [
            "requestsPerMinute": values.text("requests_per_minute"),
            "tokensPerMinute": values.text("tokens_per_minute"), "budgetUSD": values.text("budget_usd"),
            "periods": Self.options(Self.periods, chosen: values.text("budget_period")),
            "modes": Self.options(Self.modes, chosen: values.text("budget_mode")),
            "shadowsRequests": shadow.contains("requests_per_minute"),
            "shadowsTokens": shadow.contains("tokens_per_minute"), "shadowsBudget": shadow.contains("budget_usd"),
        ]
    }

    static let periods = [("none", "never: it is spent once"), ("day", "each day"), ("month", "each month")]
    static let modes = [
        ("normal", "normal: until it is used up"), ("strict", "strict: only what surely fits in"),
    ]

    /// The choices of a list.
    static func options(_ choices: [(String, String)], chosen: String) -> [View] {
        choices.map { choice in
            ["optionValue": choice.0, "optionLabel": choice.1, "isChosen": choice.0 == chosen] as View
        }
    }

    /// The same for words that speak for themselves.
    static func options(_ words: [String], chosen: String) -> [View] { options(words.map { ($0, $0) }, chosen: chosen) }
}
