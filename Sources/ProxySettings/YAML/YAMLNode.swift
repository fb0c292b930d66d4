/// A part of a YAML document, with the line it begins on (from 1).
package struct YAMLNode: Hashable {
    package enum Content: Hashable {
        /// Text, quoted or not. What it means as a number or a boolean is for its reader to say; an absent value is "".
        case scalar(String, isQuoted: Bool)
        case sequence([YAMLNode])
        /// In the order of the document, every key once.
        case mapping([YAMLEntry])
    }

    package let content: Content
    package let line: Int
}

/// A key of a mapping with its value.
package struct YAMLEntry: Hashable {
    package let key: String
    package let line: Int
    package let value: YAMLNode
}

/// Why a document could not be read, and where.
package struct YAMLFault: Error, Hashable {
    /// From 1.
    package let line: Int
    /// As the end of a sentence that begins with the line.
    package let rule: String
}
