import ProxyDomain

/// `allowed_models` and `allowed_paths` of a token or a project: each read whole, where `[]` allows everything.
enum AccessFields {
    static let names = ["allowed_models", "allowed_paths"]

    /// `nil` when it isn't there.
    static func models(in body: BodyFields) throws(ManagementFailure) -> [String]? {
        try body.names(
            "allowed_models", rule: "must hold names of models, 1 to 200 characters each, with * for any text"
        ) { text in
            let isLabel = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
            return isLabel && (1...200).contains(text.unicodeScalars.count) ? text : nil
        }
    }

    /// `nil` when it isn't there.
    static func paths(in body: BodyFields) throws(ManagementFailure) -> [String]? {
        try body.names(
            "allowed_paths",
            rule:
                "must hold the first segments of paths, such as /v1/chat, at most 200 bytes each and without wildcards"
        ) { text in
            guard RequestPath.isPlain(text.utf8), text.utf8.count <= 200, !text.contains(where: { "*?{}".contains($0) })
            else { return nil }
            return text.count > 1 && text.last == "/" ? String(text.dropLast()) : text
        }
    }

    /// Both, for something new.
    static func scope(in body: BodyFields) throws(ManagementFailure) -> AccessScope {
        AccessScope(models: try models(in: body) ?? [], paths: try paths(in: body) ?? [])
    }
}
