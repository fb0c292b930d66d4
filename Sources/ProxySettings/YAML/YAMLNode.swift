/// A part of a YAML document, with the line it begins on (from 1).
struct YAMLNode: Hashable {
    enum Content: Hashable {
        /// Text, quoted or not. What it means as a number or a boolean is for its reader to say; an absent value is "".
        case scalar(String, isQuoted: Bool)
        case sequence([YAMLNode])
        /// In the order of the document, every key once.
        case mapping([YAMLEntry])
    }

    let content: Content
    let line: Int
}

/// A key of a mapping with its value.
struct YAMLEntry: Hashable {
    let key: String
    let line: Int
    let value: YAMLNode
}

/// Why a document could not be read, and where.
struct YAMLFault: Error, Hashable {
    /// From 1.
    let line: Int
    /// As the end of a sentence that begins with the line.
    let rule: String
}
