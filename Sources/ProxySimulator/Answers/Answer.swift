/// Tokens that answers have told of.
public struct SimulatedUsage: Hashable, Sendable {
    public var promptTokens = 0
    public var completionTokens = 0

    static func += (sum: inout SimulatedUsage, other: SimulatedUsage) {
        sum.promptTokens += other.promptTokens
        sum.completionTokens += other.completionTokens
    }
}

/// An answer before it is framed and played.
struct Answer: Sendable {
    var status = 200
    var fields: [(name: String, value: String)] = []
    var content: Content
    /// Tokens that the answer tells of.
    var usage = SimulatedUsage()

    enum Content: Sendable {
        /// All at once.
        case whole([UInt8])
        /// Events of a stream: piece number `n` of `count`, made when it is sent.
        case pieces(count: Int, piece: @Sendable (Int) -> String)
        /// So many bytes of ``GeneratedBody``.
        case generated(Int)
    }

    static func json(_ text: String, status: Int = 200) -> Answer {
        Answer(status: status, fields: [("Content-Type", "application/json")], content: .whole(Array(text.utf8)))
    }

    /// An error in OpenAI's shape.
    static func error(_ status: Int, _ message: String, type: String, code: String? = nil) -> Answer {
        let code = code.map(\.quoted) ?? "null"
        return json(
            #"{"error":{"message":\#(message.quoted),"type":\#(type.quoted),"param":null,"code":\#(code)}}"#,
            status: status)
    }

    /// Server-sent events, the last of which is `[DONE]` unless `isNamed`.
    static func events(count: Int, isNamed: Bool = false, _ event: @escaping @Sendable (Int) -> String) -> Answer {
        Answer(
            fields: [("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache")],
            content: .pieces(count: isNamed ? count : count + 1) { index in
                if !isNamed, index == count { return "data: [DONE]\n\n" }
                return isNamed ? event(index) : "data: \(event(index))\n\n"
            })
    }
}

/// The content of a body that a script asks for by its size: the alphabet over and over.
public enum GeneratedBody {
    private static let template = (0..<(65_536 + 26)).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    /// Most bytes that ``bytes(from:count:)`` gives at once.
    static let largestPiece = 65_536

    /// The bytes from `offset` on; `count` is at most ``largestPiece``.
    public static func bytes(from offset: Int, count: Int) -> ArraySlice<UInt8> {
        let start = offset % 26
        return template[start..<start + min(count, largestPiece)]
    }

    /// ``ContentHash`` of the first `count` bytes.
    public static func hash(count: Int) -> UInt64 {
        var hash = ContentHash()
        var offset = 0
        while offset < count {
            let piece = bytes(from: offset, count: count - offset)
            piece.withUnsafeBytes { hash.update($0) }
            offset += piece.count
        }
        return hash.value
    }
}
