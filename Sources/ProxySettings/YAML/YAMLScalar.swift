/// Scalars on one line: plain, in single quotes, in double quotes.
enum YAMLScalar {
    /// The key that `text` begins with and what follows its colon; `nil` when `text` is no `key: value`.
    static func key(of text: Substring, line: Int) throws(YAMLFault) -> (key: String, rest: Substring)? {
        if text.first == "\"" || text.first == "'" {
            let (key, rest) = try quoted(text, line: line)
            let after = rest.drop { $0 == " " }
            guard after.first == ":", after.count == 1 || after.dropFirst().first == " " else { return nil }
            return (key, after.dropFirst().trimmed)
        }
        guard text.first != "[", text.first != "{", let colon = colon(in: text) else { return nil }
        let key = text[..<colon].trimmed
        guard !key.isEmpty else { throw YAMLFault(line: line, rule: "has a value without a key") }
        try refuseIndicator(key, line: line)
        if key == "<<" { throw YAMLFault(line: line, rule: "merges with <<, which is not read here") }
        return (String(key), text[text.index(after: colon)...].trimmed)
    }

    /// The colon that ends a plain key: one that a space or the line's end follows, before any comment.
    private static func colon(in text: Substring) -> Substring.Index? {
        var previous: Character = " "
        for index in text.indices {
            let character = text[index]
            if character == "#", previous == " " || previous == "\t" { return nil }
            if character == ":" {
                let after = text.index(after: index)
                if after == text.endIndex || text[after] == " " || text[after] == "\t" { return index }
            }
            previous = character
        }
        return nil
    }

    /// The scalar that fills `text` to the line's end, a comment aside.
    static func whole(_ text: Substring, line: Int) throws(YAMLFault) -> (value: String, isQuoted: Bool) {
        if text.first == "\"" || text.first == "'" {
            let (value, rest) = try quoted(text, line: line)
            let after = rest.trimmed
            guard after.isEmpty || (after.first == "#" && rest.first != "#") else {
                throw YAMLFault(line: line, rule: "has something after the closing quote")
            }
            return (value, true)
        }
        try refuseIndicator(text, line: line)
        guard colon(in: text) == nil else { throw YAMLFault(line: line, rule: "has a second \": \" in one line") }
        return (String(withoutComment(text)), false)
    }

    /// Refuses what YAML gives another meaning than text at the start of a plain scalar.
    static func refuseIndicator(_ text: Substring, line: Int) throws(YAMLFault) {
        let meaning: String? =
            switch text.first {
            case "&": "an anchor"
            case "*": "an alias"
            case "!": "a tag"
            case "|", ">": "a block of text"
            case "%", "@", "`": "a reserved sign"
            case "]", "}", ",": "a stray bracket or comma"
            case "?" where text.count == 1 || text.dropFirst().first == " ": "a complex key"
            case "-" where text.count == 1 || text.dropFirst().first == " ": "an item inside a line"
            case ":" where text.count == 1 || text.dropFirst().first == " ": "a value without a key"
            default: nil
            }
        if let meaning { throw YAMLFault(line: line, rule: "begins a value with \(meaning), which is not read here") }
    }

    /// A `#` begins a comment only after a space.
    static func withoutComment(_ text: Substring) -> Substring {
        var previous: Character = " "
        for index in text.indices {
            if text[index] == "#", previous == " " || previous == "\t" { return text[..<index].trimmed }
            previous = text[index]
        }
        return text.trimmed
    }

    /// The text in the quotes that `text` begins with, and what follows them.
    static func quoted(_ text: Substring, line: Int) throws(YAMLFault) -> (value: String, rest: Substring) {
        var rest = text
        let quote = rest.popFirst()
        var value = ""
        while let next = rest.popFirst() {
            if next == quote {
                guard quote == "'", rest.first == "'" else { return (value, rest) }
                rest.removeFirst()
                value.append("'")
            } else if next == "\\", quote == "\"" {
                value.append(try escaped(&rest, line: line))
            } else {
                value.append(next)
            }
        }
        throw YAMLFault(line: line, rule: "opens a quote that is not closed on the line")
    }

    /// The character an escape stands for (YAML 1.2 section 5.7, the common ones).
    private static func escaped(_ rest: inout Substring, line: Int) throws(YAMLFault) -> Character {
        switch rest.popFirst() {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "0": return "\0"
        case "\"": return "\""
        case "\\": return "\\"
        case "/": return "/"
        case " ": return " "
        case "x": return try hexadecimal(2, &rest, line: line)
        case "u": return try hexadecimal(4, &rest, line: line)
        case "U": return try hexadecimal(8, &rest, line: line)
        default: throw YAMLFault(line: line, rule: "holds an escape that is not read here")
        }
    }

    private static func hexadecimal(_ count: Int, _ rest: inout Substring, line: Int) throws(YAMLFault) -> Character {
        let digits = rest.prefix(count)
        guard digits.utf8.count == count, digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16),
            let scalar = Unicode.Scalar(value)
        else { throw YAMLFault(line: line, rule: "holds an escape that names no character") }
        rest = rest.dropFirst(count)
        return Character(scalar)
    }
}
