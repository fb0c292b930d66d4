import ArgumentParser
import ProxyDomain

/// What the values of options must be, told before anything is sent.
enum ArgumentCheck {
    /// Refuses what is none of the words that the API knows.
    static func choice<Word: RawRepresentable<String> & CaseIterable>(
        _ text: String?, _ name: String, of words: Word.Type
    ) throws {
        guard let text, Word(rawValue: text) == nil else { return }
        let known: [String] = words.allCases.map { $0.rawValue }
        throw ValidationError("\(name) must be one of: \(known.joined(separator: ", ")).")
    }

    /// Refuses what is no instant.
    static func instant(_ text: String?, _ name: String) throws {
        guard let text, Timestamp(text) == nil else { return }
        throw ValidationError("\(name) must be an instant like 2030-01-31T09:30:00Z.")
    }
}
