/// Why a connection or a stream is ended (RFC 9113 section 7).
public enum HTTP2ErrorCode: UInt32, Sendable {
    case noError = 0x0
    case protocolError = 0x1
    case internalError = 0x2
    case flowControlError = 0x3
    case streamClosed = 0x5
    case frameSizeError = 0x6
    case refusedStream = 0x7
    case cancel = 0x8
    case compressionError = 0x9
    case enhanceYourCalm = 0xB

    /// The RFC's name, in lower case.
    public var name: String {
        switch self {
        case .noError: "no_error"
        case .protocolError: "protocol_error"
        case .internalError: "internal_error"
        case .flowControlError: "flow_control_error"
        case .streamClosed: "stream_closed"
        case .frameSizeError: "frame_size_error"
        case .refusedStream: "refused_stream"
        case .cancel: "cancel"
        case .compressionError: "compression_error"
        case .enhanceYourCalm: "enhance_your_calm"
        }
    }
}

/// What the other side did that its connection can't go on after (RFC 9113 section 5.4.1).
public struct HTTP2Fault: Error, Hashable, Sendable {
    public let code: HTTP2ErrorCode

    public init(_ code: HTTP2ErrorCode) { self.code = code }
}
