/// Where in the settings a value goes.
typealias Place<Value> = any WritableKeyPath<ServerSettings, Value> & Sendable

/// How each kind of setting reads its text.
extension SettingDescription {
    static func boolean(
        _ name: String, _ preset: String, at place: Place<Bool>, _ summary: String
    ) -> Self {
        Self(name, .boolean, preset, summary, example: preset == "true" ? "false" : "true") { text in
            switch text.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        } put: {
            $1[keyPath: place] = $0
        }
    }

    static func duration(
        _ name: String, _ preset: String, _ range: ClosedRange<Duration>, at place: Place<Duration>, _ summary: String
    ) -> Self {
        Self(name, .duration(range), preset, summary, example: "90m") { text in
            DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil }
        } put: {
            $1[keyPath: place] = $0
        }
    }

    static func size(
        _ name: String, _ preset: String, _ range: ClosedRange<Int>, at place: Place<Int>, _ summary: String
    ) -> Self {
        Self(name, .size(range), preset, summary, example: "512KiB") { text in
            SizeText.parse(text).flatMap { range.contains($0) ? $0 : nil }
        } put: {
            $1[keyPath: place] = $0
        }
    }

    static func integer(
        _ name: String, _ preset: String, _ range: ClosedRange<Int>, at place: Place<Int>, _ summary: String
    ) -> Self {
        Self(name, .integer(range), preset, summary, example: "7") { text in
            let isPlain = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return isPlain ? Int(text).flatMap { range.contains($0) ? $0 : nil } : nil
        } put: {
            $1[keyPath: place] = $0
        }
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ preset: String, at place: Place<Choice>, _ summary: String
    ) -> Self {
        let names = Choice.allCases.map(\.rawValue)
        let other = names.first { $0 != preset } ?? preset
        return Self(name, .choice(names), preset, summary, example: other) {
            Choice(rawValue: $0)
        } put: {
            $1[keyPath: place] = $0
        }
    }

    static func path(
        _ name: String, _ preset: String, at place: Place<String>, _ summary: String, example: String,
        isValid: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Self {
        Self(name, .path, preset, summary, example: example) {
            isValid($0) ? $0 : nil
        } put: {
            $1[keyPath: place] = $0
        }
    }

    static func optionalPath(_ name: String, at place: Place<String?>, _ summary: String, example: String) -> Self {
        Self(name, .path, nil, summary, example: example) {
            $0
        } put: {
            $1[keyPath: place] = $0
        }
    }

    /// `rule` gives what a text breaks, in words; `nil` for a good one.
    static func secret(
        _ name: String, at place: Place<Secret?>, _ summary: String, example: String,
        rule: @escaping @Sendable (String) -> String?
    ) -> Self {
        Self(name: name, kind: .text, defaultText: nil, summary: summary, isSecret: true, example: example) {
            text, settings in
            if let broken = rule(text) { return broken }
            settings[keyPath: place] = Secret(text)
            return nil
        }
    }

    /// Items with commas between them; `parse` gives an item as it is kept, `nil` for a bad one.
    static func list(
        _ name: String, at place: Place<[String]>, _ summary: String, example: String, rule: String,
        parse: @escaping @Sendable (String) -> String?
    ) -> Self {
        Self(name: name, kind: .text, defaultText: nil, summary: summary, isSecret: false, example: example) {
            text, settings in
            let items = text.split(separator: ",").map { parse(String($0.trimmed)) }
            guard !items.isEmpty, !items.contains(nil) else { return rule }
            settings[keyPath: place] = items.compactMap { $0 }
            return nil
        }
    }

    /// A duration of whole days, up to a century; kept as their number.
    static func days(_ name: String, at place: Place<Int>, _ summary: String) -> Self {
        let range = Duration.zero ... .seconds(86_400 * 36_500)
        return Self(
            name: name, kind: .duration(range), defaultText: nil, summary: summary, isSecret: false, example: "30d"
        ) { text, settings in
            guard let duration = DurationText.parse(text), range.contains(duration),
                duration.components.seconds % 86_400 == 0, duration.components.attoseconds == 0
            else { return "must be a duration of whole days, from 0 to 36500d" }
            settings[keyPath: place] = Int(duration.components.seconds / 86_400)
            return nil
        }
    }

    /// A setting whose text `parse` turns into a value, or refuses with `nil`.
    init<Value>(
        _ name: String, _ kind: Kind, _ preset: String?, _ summary: String, example: String,
        parse: @escaping @Sendable (String) -> Value?, put: @escaping @Sendable (Value, inout ServerSettings) -> Void
    ) {
        self.init(name: name, kind: kind, defaultText: preset, summary: summary, isSecret: false, example: example) {
            text, settings in
            guard let value = parse(text) else { return "" }
            put(value, &settings)
            return nil
        }
    }
}
