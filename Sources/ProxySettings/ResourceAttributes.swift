/// The text of `OTEL_RESOURCE_ATTRIBUTES` (OpenTelemetry, Resource SDK): `name=value` with commas between them, values percent-encoded.
enum ResourceAttributes {
    /// `nil` for a text that breaks the rule.
    static func parse(_ text: String) -> [String: String]? {
        var attributes: [String: String] = [:]
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].trimmed
            guard parts.count == 2, !name.isEmpty, let value = decoded(parts[1].trimmed) else { return nil }
            attributes[String(name)] = value
        }
        return attributes
    }

    private static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            guard digits.count == 2 else { return nil }
            bytes.append(UInt8(digits[0] << 4 | digits[1]))
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
