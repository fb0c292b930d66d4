/// A secret that callers must know, kept as its SHA-256: compares in a time that tells nothing about it.
public struct ExpectedCredential: Sendable {
    private let digest: [UInt8]

    /// Expects exactly the bytes of `secret`.
    public init(_ secret: String) { digest = sha256(Array(secret.utf8)) }

    /// Whether `presented` is the secret, byte for byte.
    ///
    /// Both are hashed first, so neither length nor content decides how long the comparison takes.
    public func matches(_ presented: some Sequence<UInt8>) -> Bool {
        equalInConstantTime(digest, sha256(Array(presented)))
    }

    /// Whether the bytes of `presented` are the secret.
    public func matches(_ presented: String) -> Bool { matches(presented.utf8) }
}

extension ExpectedCredential: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whether two byte strings are equal, looking at every byte whatever the first ones hold.
public func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
