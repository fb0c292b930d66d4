import ArgumentParser

/// What shells offer for an option's value, where the program knows what may stand there.
extension CompletionKind {
    /// All words of a kind.
    static func words<Word: RawRepresentable<String> & CaseIterable>(of words: Word.Type) -> CompletionKind {
        .list(words.allCases.map { $0.rawValue })
    }

    /// Files in YAML, and folders.
    static var yaml: CompletionKind { .file(extensions: ["yaml", "yml"]) }
}
