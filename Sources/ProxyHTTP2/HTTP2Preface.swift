public import NIOCore

/// How much has come of what a client begins with (RFC 9113 section 3.4).
public enum HTTP2Preface: Sendable {
    case none
    case part
    case whole

    static let text: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    /// All of it, in bytes.
    static let length = text.utf8CodeUnitCount
    /// The part of it that HTTP/1.1 would read as a head, in bytes.
    public static let headLength = 18

    /// - Parameter length: how many bytes of it count.
    public init(_ bytes: ByteBuffer, length: Int) {
        let wanted = UnsafeBufferPointer(start: Self.text.utf8Start, count: length)
        if zip(bytes.readableBytesView, wanted).allSatisfy({ $0 == $1 }) {
            self = bytes.readableBytes < length ? .part : .whole
        } else {
            self = .none
        }
    }
}
