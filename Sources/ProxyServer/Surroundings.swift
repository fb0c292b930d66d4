public import ProxyDomain

/// What a server takes from the world around it. Libraries below read none of this themselves.
public struct Surroundings: Sendable {
    public let now: @Sendable () -> Timestamp
    /// 64 random bits from a cryptographic source.
    public let random: @Sendable () -> UInt64
    /// The text of a file; `nil` when there is none. It throws when the file can't be read.
    public let readFile: @Sendable (String) throws -> String?

    /// - Parameter readFile: the system's files, unless others are given.
    public init(
        now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable () -> UInt64,
        readFile: (@Sendable (String) throws -> String?)? = nil
    ) {
        self.now = now
        self.random = random
        self.readFile = readFile ?? { try SystemFile.read($0) }
    }

    /// The system's clock and the system's randomness.
    public static let system = Surroundings(
        now: { .wallClock },
        random: { SystemRandomNumberGenerator().nextWord() })
}

extension SystemRandomNumberGenerator {
    fileprivate func nextWord() -> UInt64 {
        var generator = self
        return generator.next()
    }
}

/// A generator that draws from ``Surroundings/random``.
struct HandedRandomness: RandomNumberGenerator {
    let source: @Sendable () -> UInt64

    mutating func next() -> UInt64 { source() }
}
