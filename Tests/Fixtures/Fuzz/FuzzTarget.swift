import Foundation
import WireFixtures

/// A parser of ours, what it is fed with, and what must hold of whatever it is fed.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    package let name: String
    package var description: String { name }
    /// What inputs are made of, by spoiling and joining.
    let corpus: [[UInt8]]
    /// Pieces that have a meaning to the parser.
    let words: [[UInt8]]
    /// Whether inputs are bytes of no text: the corpus has them in hexadecimal, and so they are shown.
    let isBinary: Bool
    /// Feeds the parser. Gives what doesn't hold; `nil` when all does.
    let check: @Sendable (_ input: [UInt8], _ random: inout SeededRandom) -> String?

    init(
        _ name: String, words: [String],
        check: @escaping @Sendable (_ input: [UInt8], _ random: inout SeededRandom) -> String?
    ) {
        self.name = name
        self.corpus = Self.corpus(name)
        self.words = words.map { Array($0.utf8) }
        self.isBinary = false
        self.check = check
    }

    /// A parser of bytes that are no text. Words and the corpus are in hexadecimal, with white space wherever it helps.
    init(
        binary name: String, words: [String],
        check: @escaping @Sendable (_ input: [UInt8], _ random: inout SeededRandom) -> String?
    ) {
        self.name = name
        self.corpus = Self.corpus(name).map(Self.bytes(hexadecimal:))
        self.words = words.map { Self.bytes(hexadecimal: Array($0.utf8)) }
        self.isBinary = true
        self.check = check
    }

    private static func bytes(hexadecimal text: [UInt8]) -> [UInt8] {
        let digits = text.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// How many inputs the others are made of.
    package var corpusSize: Int { corpus.count }

    /// Every target.
    package static let all = [
        framing, serverSentEvents, json, hpack, frames, answerFrames, providersFile, connectionString,
        duration, dotEnv, proxyHeader, multipart, cachedAnswer,
    ]

    /// Items of the corpus, each between lines of `---`.
    private static func corpus(_ name: String) -> [[UInt8]] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus/\(name).txt")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.components(separatedBy: "---\n").filter { !$0.isEmpty }.map {
            Array($0.hasSuffix("\n") ? $0.dropLast().utf8 : $0[...].utf8)
        }
    }

    /// Feeds the parser so many times.
    /// - Returns: the first things that don't hold, with the input that shows each.
    package func run(_ count: Int, seed: UInt64) -> [String] {
        var random = SeededRandom(seed)
        var findings: [String] = []
        for _ in 0..<count {
            let input = input(&random)
            guard let finding = check(input, &random) else { continue }
            findings.append("\(name): \(finding): \(shown(input))")
            if findings.count == 10 { break }
        }
        return findings
    }

    private func shown(_ input: [UInt8]) -> String {
        guard isBinary else { return String(decoding: input, as: UTF8.self).debugDescription }
        return input.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private func input(_ random: inout SeededRandom) -> [UInt8] {
        guard var bytes = corpus.randomElement(using: &random) else { return [] }
        for _ in 0..<Int.random(in: 0...4, using: &random) { spoil(&bytes, &random) }
        return bytes
    }

    private func spoil(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1 where at < bytes.count: bytes.remove(at: at)
        case 2 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 3:
            let end = min(bytes.count, at + Int.random(in: 1...30, using: &random))
            bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
        case 4:
            guard let other = corpus.randomElement(using: &random) else { return }
            bytes = bytes.prefix(at) + other.suffix(Int.random(in: 0...other.count, using: &random))
        case 5: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...20, using: &random)))
        default: bytes.insert(contentsOf: words.randomElement(using: &random) ?? [], at: at)
        }
    }
}
