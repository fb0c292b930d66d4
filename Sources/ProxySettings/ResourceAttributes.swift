import ProxyDomain

/// The text of `OTEL_RESOURCE_ATTRIBUTES` (OpenTelemetry, Resource SDK): `name=value` with commas between them, values percent-encoded.
enum ResourceAttributes {
    /// `nil` for a text that breaks the rule.
    static func parse(_ text: String) -> [String: String]? {
        var attributes: [String: String] = [:]
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].trimmed
            guard parts.count == 2, !name.isEmpty, let bytes = PercentEncoding.decoded(parts[1].trimmed),
                let value = String(validating: bytes, as: UTF8.self)
            else { return nil }
            attributes[String(name)] = value
        }
        return attributes
    }
}
