import PostgresDriver
import ProxySettings
import WireFixtures

extension FuzzTarget {
    /// Connection strings: nothing secret in what is said of them, and the same when written in another form.
    static let connectionString = FuzzTarget(
        "connection-string",
        words: [
            "postgres://", "postgresql://", "@", ":", "/", "?", "&", "=", "%40", "%", "%zz", "[::1]", ",", ":5432",
            "sslmode=",
            "host=/run", "ssl=true", "\u{E9}", " ", "#",
        ]
    ) { input, _ in
        let text = String(decoding: input, as: UTF8.self)
        do throws(PostgresAddressError) {
            let address = try PostgresAddress(text)
            let query = address.parameters.map { "\(escaped($0.key))=\(escaped($0.value))" }.joined(separator: "&")
            guard let same = try? PostgresAddress("postgres:///?\(query)"), same.parameters == address.parameters else {
                return "written as a query it says something else"
            }
            return nil
        } catch {
            return "\(error)".contains("PLANTED") ? "the error repeats the password" : nil
        }
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
        }.joined()
    }

    /// Durations: exactly those that a reader of another make accepts, and worth the same.
    static let duration = FuzzTarget(
        "duration",
        words: ["0", "1", "9", "60", "d", "h", "m", "s", "ms", "-", ".", "1h30m", "99999999999", " ", "M", "\u{663}"]
    ) { input, _ in
        let text = String(decoding: input, as: UTF8.self)
        // An empty text is none, and white space around one is not its own.
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let read = try? ServerSettings.read(environment: ["SHUTDOWN_GRACE": text]).shutdownGrace
        let wanted = milliseconds(text).flatMap { (0...86_400_000).contains($0) ? Duration.milliseconds($0) : nil }
        return read == wanted
            ? nil : "read as \(read.map { "\($0)" } ?? "none"), wanted \(wanted.map { "\($0)" } ?? "none")"
    }

    /// By a grammar: each unit at most once, the largest first.
    private static func milliseconds(_ text: String) -> Int64? {
        guard text != "0" else { return 0 }
        let form = /(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?/
        guard let match = text.wholeMatch(of: form) else { return nil }
        let parts = [match.1, match.2, match.3, match.4, match.5]
        var total: Double = 0
        for (part, unit) in zip(parts, [86_400_000.0, 3_600_000, 60_000, 1000, 1]) {
            if let part { total += (Double(part) ?? .infinity) * unit }
        }
        return total < 1e15 ? Int64(total) : nil
    }

    /// `.env` files: what is read of one is the same when written in another form, and nothing secret is in what is said of its
    /// faults.
    static let dotEnv = FuzzTarget(
        "dot-env",
        words: [
            "\n", "\r\n", "=", "'", "\"", "\\", "\\n", "\\\"", "#", " #", " ", "\t", "export ", "LOG_FILE=",
            "LOG_LEVEL=debug\n",
            "\u{FEFF}", "\u{E9}",
        ]
    ) { input, _ in
        let file = DotEnv(String(decoding: input, as: UTF8.self))
        for fault in file.faults {
            guard !fault.description.contains(where: \.isNewline), !fault.remedy.isEmpty else {
                return "not one line with a remedy: \(fault)"
            }
            if fault.description.contains("PLANTED") { return "the fault repeats a value: \(fault)" }
        }
        // A quote and a mark of accent behind it are one character.
        guard input.allSatisfy({ $0 < 0x80 }) else { return nil }
        let again = DotEnv(
            file.values.map { "export \($0.key) = \(quoted($0.value)) # and so on" }.joined(separator: "\r\n"))
        return again.values == file.values && again.faults.isEmpty ? nil : "written in quotes it says something else"
    }

    private static func quoted(_ value: String) -> String {
        var text = "\""
        for letter in value.unicodeScalars {
            switch letter {
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\"", "\\": text += "\\\(letter)"
            default: text.unicodeScalars.append(letter)
            }
        }
        return text + "\""
    }

    /// Providers files: each is either used, or refused with reasons of one line that tell the line and don't tell keys.
    static let providersFile = FuzzTarget(
        "providers-file",
        words: [
            "\n", "  ", "apis:\n", "  openai:\n", "base_url: http://a", "auth: {header: x}", "- ", ": ", "{", "}", "[",
            "]", "&a", "*a",
            "!!int", "|", ">", "#", "'", "\"", "\t", "retry:\n", "allowed_origins: [", "default_api: openai\n",
            "<<: *a", "null", "---",
        ]
    ) { input, _ in
        let text = String(decoding: input, as: UTF8.self)
        do throws(SettingsError) {
            _ = try ServerSettings.read(environment: ["API_CONFIG_PATH": "p.yaml"], files: { _ in text })
            return nil
        } catch {
            guard !error.faults.isEmpty else { return "refused without a reason" }
            for fault in error.faults where fault.description.contains(where: \.isNewline) || fault.remedy.isEmpty {
                return "not one line with a remedy: \(fault)"
            }
            // Without what makes it a credential nobody can tell that it is one.
            guard text.contains("://user:PLANTED@") else { return nil }
            return "\(error)".contains("user:PLANTED@") ? "the error repeats a secret" : nil
        }
    }
}
