import NIOCore

/// How much has come of what a client begins with that speaks HTTP/2 without being asked (RFC 9113 section 3.4).
enum HTTP2Preface {
    case none
    case part
    case whole

    init(_ bytes: ByteBuffer) {
        let line = "PRI * HTTP/2.0\r\n\r\n".utf8
        if zip(bytes.readableBytesView, line).allSatisfy({ $0 == $1 }) {
            self = bytes.readableBytes < line.count ? .part : .whole
        } else {
            self = .none
        }
    }
}
