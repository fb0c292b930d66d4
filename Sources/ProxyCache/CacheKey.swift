import Crypto
public import ProxyDomain
public import ProxyWire

/// What two requests have in common that may be given the same answer: a digest of everything that an answer can depend on.
public struct CacheKey: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    public static func == (left: Self, right: Self) -> Bool { left.words == right.words }
    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    /// Whose answers a request may be given.
    public enum Namespace: Hashable, Sendable {
        case project(ProjectID)
        /// Those of all projects that share.
        case shared
    }

    /// Where a request goes.
    public struct Place: Hashable, Sendable {
        public let provider: String
        public let authority: String
        public let prefix: [UInt8]

        public init(provider: String, authority: String, prefix: [UInt8]) {
            self.provider = provider
            self.authority = authority
            self.prefix = prefix
        }
    }

    /// - Parameters:
    ///   - body: without the framing of chunks; JSON counts whatever its white space and the order of its outermost members.
    public init(
        _ namespace: Namespace, _ place: Place, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer,
        body: UnsafeRawBufferPointer?
    ) {
        var text = KeyText()
        switch namespace {
        case .project(let id): text.append(id.text.utf8)
        case .shared: text.append("shared".utf8)
        }
        text.append(place.provider.utf8)
        text.append(place.authority.utf8)
        text.append(place.prefix)
        // What HEAD asks for is the head of what GET does.
        if head.method == .head {
            text.append("GET".utf8)
        } else {
            text.append(UnsafeRawBufferPointer(rebasing: bytes[head.methodRange]))
        }
        text.append(UnsafeRawBufferPointer(rebasing: bytes[head.pathRange]))
        text.append(UnsafeRawBufferPointer(rebasing: head.queryRange.map { bytes[$0] } ?? bytes[0..<0]))
        for field in Self.selecting(head, bytes) {
            text.append(lowercase: UnsafeRawBufferPointer(rebasing: bytes[field.nameRange]))
            text.append(UnsafeRawBufferPointer(rebasing: bytes[field.valueRange]))
        }
        if let body {
            if body.count > Self.mostNormalised || !text.append(json: body) { text.append(body) }
        }
        self.init(digestOf: text.bytes)
    }

    private init(digestOf bytes: [UInt8]) {
        words = SHA256.hash(data: bytes).withUnsafeBytes {
            (
                $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
    }

    /// 64 hexadecimal digits.
    public var text: String {
        [words.0, words.1, words.2, words.3].map { word in
            let digits = String(word.bigEndian, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Bodies that are longer, in bytes, are told apart byte by byte: their JSON is not written anew.
    static let mostNormalised = 256 << 10

    /// Fields that choose an answer whether it says so in `Vary` or not, by name.
    private static func selecting(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> [FieldLine] {
        var found: [FieldLine] = []
        for field in head.fields {
            switch field.kind {
            case .contentType, .contentEncoding, .acceptEncoding: found.append(field)
            case .other where names.contains { field.isNamed($0, in: bytes) }: found.append(field)
            case .other where families.contains { field.isNamed(beginningWith: $0, in: bytes) }: found.append(field)
            default: break
            }
        }
        guard found.count > 1 else { return found }
        // Of one name they stay in their order, which means something.
        return found.sorted { left, right in
            let (one, other) = (
                bytes[left.nameRange].lazy.map(\.lowercase), bytes[right.nameRange].lazy.map(\.lowercase)
            )
            return one.lexicographicallyPrecedes(other)
                || left.start < right.start && !other.lexicographicallyPrecedes(one)
        }
    }

    private static let names = ["accept", "accept-language"].map { Array($0.utf8) }
    private static let families = ["openai-", "anthropic-", "x-goog-"].map { Array($0.utf8) }
}

/// Parts one after the other, each with its length before it, so that no two lists of parts make the same text.
private struct KeyText {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(1024) }

    mutating func append(_ part: some Collection<UInt8>) {
        append(length: part.count)
        bytes.append(contentsOf: part)
    }

    /// A field's name, which means the same in any case.
    mutating func append(lowercase name: UnsafeRawBufferPointer) {
        append(length: name.count)
        for byte in name { bytes.append(byte.lowercase) }
    }

    private mutating func append(length: Int) {
        withUnsafeBytes(of: Int64(length).littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// - Returns: false, and nothing appended, when `body` is no JSON.
    mutating func append(json body: UnsafeRawBufferPointer) -> Bool {
        let end = bytes.count
        // No length: that varies with white space. It is the last part, and no length begins so.
        append(length: -1)
        if CanonicalJSON.append(body, to: &bytes) { return true }
        bytes.removeSubrange(end..<bytes.count)
        return false
    }
}

extension UInt8 {
    fileprivate var lowercase: UInt8 { 0x41...0x5A ~= self ? self | 0x20 : self }
}
