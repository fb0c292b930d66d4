/// The simulator's language: what it says, and how it counts.
enum Words {
    /// Words of an answer that neither the request nor its script measures.
    static let usualCount = 12

    private static let vocabulary = [
        "the", "quiet", "river", "carries", "small", "boats", "past", "green", "hills", "and", "old", "towns", "while",
        "people", "wave", "from", "their", "windows",
    ]

    /// Word number `index` of every answer.
    static func word(_ index: Int) -> String { vocabulary[index % vocabulary.count] }

    /// Word number `index` as a piece of a stream: a space before all but the first.
    static func piece(_ index: Int) -> String { index == 0 ? word(0) : " " + word(index) }

    /// The first `count` words.
    static func text(_ count: Int) -> String { (0..<count).map(word).joined(separator: " ") }

    /// What a text counts as in tokens: its words.
    static func tokens(in text: String) -> Int { text.split(whereSeparator: \.isWhitespace).count }
}
