import ProxyManagement

/// Fields of forms as members of the API's bodies.
enum FormFields {
    /// A number where the text is one; else the text, for the API to say what is wrong with it.
    static func number(_ text: String) -> JSONValue {
        if let value = try? JSONReader.read(Array(text.utf8)), case .number = value { return value }
        return .string(text)
    }

    /// The members whose fields are not empty.
    static func texts(_ form: Form, _ names: [String]) -> [(String, JSONValue)] {
        form.given(names).map { ($0.0, JSONValue.string($0.1)) }
    }

    /// `allowed_models` and `allowed_paths`, a line each; empty for all.
    static func access(_ form: Form) -> [(String, JSONValue)] {
        ["allowed_models", "allowed_paths"].map { ($0, JSONValue.names(form.lines($0))) }
    }

    /// When a token ends. Nothing where it is to stay as it is.
    static func expiry(_ form: Form) -> [(String, JSONValue)] {
        switch form["lifetime"] {
        case "keep", "": []
        case "never": [("never_expires", .bool(true))]
        case "at": [("expires_at", .string(Shown.instant(ofField: form["expires_at"])))]
        case let minutes: [("duration_minutes", number(minutes))]
        }
    }

    /// `limits`, all of them: what has no value is not limited.
    static func limits(_ form: Form) -> (String, JSONValue) {
        var members: [(String, JSONValue)] = []
        for name in ["requests_per_minute", "tokens_per_minute", "budget_usd"] where !form[name].isEmpty {
            members.append((name, number(form[name])))
        }
        if !form["budget_usd"].isEmpty { members += texts(form, ["budget_period", "budget_mode"]) }
        let shadow = form.all("shadow").filter { !form[$0].isEmpty }
        if !shadow.isEmpty { members.append(("shadow", .names(shadow))) }
        return ("limits", .object(members))
    }
}
