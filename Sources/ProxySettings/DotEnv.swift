/// Reads a `.env` file: `KEY=VALUE` lines, `export ` before them if wanted, `#` comments, single or double quotes.
///
/// Nothing is expanded: `$HOME` stays as it is. In double quotes `\n`, `\t`, `\"` and `\\` are what they are in a
/// shell's `$'…'`; in single quotes nothing is.
package struct DotEnv {
    package private(set) var values: [String: String] = [:]
    package private(set) var faults: [SettingFault] = []
    private var lineOfKey: [String: Int] = [:]

    package init(_ text: String) {
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            var content = line.trimmed
            if number == 1, content.first == "\u{FEFF}" { content = content.dropFirst() }
            if content.isEmpty || content.first == "#" { continue }
            read(content, line: number)
        }
    }

    private mutating func read(_ line: Substring, line number: Int) {
        var content = line
        if content.hasPrefix("export "), let key = content.firstIndex(of: " ") { content = content[key...].trimmed }
        guard let equals = content.firstIndex(of: "=") else {
            return fault(number, "is not KEY=VALUE", remedy: "write KEY=VALUE, or # before a comment")
        }
        let key = content[..<equals].trimmed
        guard Self.isName(key) else {
            return fault(number, "has no proper name before its =", remedy: "use letters, digits and _ only")
        }
        guard let value = Self.value(content[content.index(after: equals)...].trimmed) else {
            return fault(
                number, "has a value whose quotes don't match", remedy: "close the quote, and put nothing after it")
        }
        let name = String(key)
        if let first = lineOfKey[name] {
            return fault(number, "sets \(name), which line \(first) has set", remedy: "keep one of the two")
        }
        lineOfKey[name] = number
        values[name] = value
    }

    private mutating func fault(_ line: Int, _ rule: String, remedy: String) {
        faults.append(SettingFault(".env line \(line)", rule, remedy: remedy))
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    private static func value(_ text: Substring) -> String? {
        guard let quote = text.first, quote == "'" || quote == "\"" else {
            return String(withoutComment(text))
        }
        var value = ""
        var rest = text.dropFirst()
        while let next = rest.popFirst() {
            if next == quote {
                let after = rest.trimmed
                return after.isEmpty || after.first == "#" ? value : nil
            }
            if next == "\\", quote == "\"", let escaped = rest.popFirst() {
                switch escaped {
                case "n": value.append("\n")
                case "t": value.append("\t")
                case "\"", "\\": value.append(escaped)
                default: value.append("\\\(escaped)")
                }
            } else {
                value.append(next)
            }
        }
        return nil
    }

    /// A `#` begins a comment only after a space: `pass#word` is a value.
    private static func withoutComment(_ text: Substring) -> Substring {
        var previous: Character = " "
        for index in text.indices {
            if text[index] == "#", previous == " " || previous == "\t" { return text[..<index].trimmed }
            previous = text[index]
        }
        return text
    }
}

extension Substring {
    /// Without spaces, tabs and carriage returns at either end.
    var trimmed: Substring {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        var text = drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
