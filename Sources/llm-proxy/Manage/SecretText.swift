import ProxyFleet

/// Secrets from the command line, standard input or a file. No error repeats them.
enum SecretText {
    /// Reads a secret that may be typed, with `-` for a line of standard input, or stand in a file.
    /// - Parameter option: the option's name; that of the one for a file is `-file` longer.
    /// - Returns: `nil` when none was given.
    static func read(_ typed: String?, file: String?, option: String) throws(ManageError) -> String? {
        switch (typed, file) {
        case (nil, nil): return nil
        case (.some, .some): throw .usage("\(option) and \(option)-file exclude each other")
        case (let text?, nil):
            return try text == "-"
                ? checked(readLine(), from: "standard input, read for \(option),") : checked(text, from: option)
        case (nil, let path?):
            guard let line = try firstLine(of: path) else { throw .usage("there is no file \(path)") }
            return try checked(line, from: path)
        }
    }

    /// The first line of a file; `nil` when there is no such file.
    static func firstLine(of path: String) throws(ManageError) -> String? {
        do {
            return try TextFile.read(path).map { text in String(text.prefix { !$0.isNewline }) }
        } catch {
            throw .usage("\(path) can't be read")
        }
    }

    /// What can be sent as a token or a key.
    static func checked(_ text: String?, from source: String) throws(ManageError) -> String {
        guard let text, !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .usage("\(source) must hold one word of visible ASCII characters")
        }
        return text
    }
}
