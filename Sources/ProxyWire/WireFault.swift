/// Why a message was refused: one case per reason, closed, so that each gets its own answer, metric and test.
///
/// A fault is final for the connection it came on: where the next message begins is no longer known. Rules are those of
/// RFC 9112 (HTTP/1.1) and RFC 9110 (HTTP semantics); where they let a recipient choose between repairing and
/// refusing, this library refuses.
public enum WireFault: Error, Hashable, Sendable, CaseIterable {
    /// The start line and fields are longer than `WireLimits.maxHeadBytes` (RFC 9110 section 5.4).
    case headTooLarge
    /// More field lines, or more connection options, than `WireLimits.maxFields` (RFC 9110 section 5.4).
    case tooManyFields
    /// The request target is longer than `WireLimits.maxTargetBytes` (RFC 9112 section 3).
    case targetTooLong
    /// Not `method SP target SP HTTP-version` with single spaces (RFC 9112 section 3).
    case malformedRequestLine
    /// Not `HTTP-version SP status [SP reason]`, or a status outside 100…599 (RFC 9112 section 4, RFC 9110 section 15).
    case malformedStatusLine
    /// A version that is neither HTTP/1.0 nor HTTP/1.1 (RFC 9112 section 2.3).
    case unsupportedVersion
    /// A CR that no LF follows (RFC 9112 section 2.2).
    case bareCarriageReturn
    /// A LF that no CR precedes (RFC 9112 section 2.2).
    case bareLineFeed
    /// A NUL byte in the start line or a field (RFC 9110 section 5.5).
    case nulByte
    /// A field line that begins with a space or tab (RFC 9112 section 5.2).
    case obsoleteFolding
    /// A space or tab between a field's name and its colon (RFC 9112 section 5.1).
    case whitespaceBeforeColon
    /// A field name that is empty, has a byte that no token may have, or has no colon (RFC 9110 section 5.1).
    case malformedFieldName
    /// A control byte in a field value, or a `Connection` value that is no list of tokens (RFC 9110 sections 5.5, 7.6.1).
    case malformedFieldValue
    /// More than one `Content-Length`, in several lines or as a list, alike or not (RFC 9112 section 6.3).
    case conflictingLength
    /// A `Content-Length` that is no plain decimal number below 2⁶³, or is not 0 where no body may be
    /// (RFC 9110 section 8.6).
    case malformedLength
    /// Both `Content-Length` and `Transfer-Encoding` (RFC 9112 section 6.3).
    case lengthAndTransferEncoding
    /// A `Transfer-Encoding` other than one `chunked`, or one where none may be (RFC 9112 sections 6.1, 7).
    case unsupportedTransferEncoding
    /// An HTTP/1.1 request without `Host` (RFC 9112 section 3.2).
    case missingHost
    /// More than one `Host` (RFC 9112 section 3.2).
    case duplicateHost
    /// A `Host` that is no `host [":" port]` (RFC 9110 section 7.2).
    case malformedHost
    /// A target that names another authority than `Host` (RFC 9112 section 3.2.2).
    case authorityMismatch
    /// A target in none of the four forms, or in one that the method may not have (RFC 9112 section 3.2).
    case malformedTarget
    /// A chunk size that is no plain hexadecimal number below 2⁶³ (RFC 9112 section 7.1).
    case malformedChunkSize
    /// A chunk extension longer than `WireLimits.maxChunkExtensionBytes` (RFC 9112 section 7.1.1).
    case chunkExtensionTooLong
    /// A chunk whose data does not end in CRLF, or with an extension that breaks the grammar (RFC 9112 section 7.1).
    case malformedChunk
    /// A trailer section longer than `WireLimits.maxTrailerBytes` (RFC 9112 section 7.1.2).
    case trailersTooLarge
    /// A trailer field that frames, routes, authenticates or describes the message (RFC 9110 section 6.5.1).
    case forbiddenTrailer
}

extension WireFault {
    /// One sentence for whoever sent the message: what is wrong and what to send instead. Holds none of its bytes.
    public var explanation: String {
        switch self {
        case .headTooLarge: "The header section is too large; send fewer or shorter header fields."
        case .tooManyFields: "There are too many header fields; send fewer."
        case .targetTooLong: "The request target is too long; send large parameters in the body."
        case .malformedRequestLine:
            "The request line is malformed; send a method, a target and HTTP/1.1 with one space between each."
        case .malformedStatusLine: "The status line is malformed; send HTTP/1.1, a status of 100 to 599 and a reason."
        case .unsupportedVersion: "The HTTP version is not supported; send HTTP/1.1 or HTTP/1.0."
        case .bareCarriageReturn: "A carriage return stands alone; end each line with CR LF."
        case .bareLineFeed: "A line feed stands alone; end each line with CR LF."
        case .nulByte: "The header section holds a NUL byte; leave it out."
        case .obsoleteFolding: "A header field continues on a second line; send it on one line."
        case .whitespaceBeforeColon: "White space stands before a header field's colon; put the colon after the name."
        case .malformedFieldName: "A header field's name is malformed; send a name of token characters and a colon."
        case .malformedFieldValue: "A header field's value is malformed; send it without control characters."
        case .conflictingLength: "Content-Length is given more than once; send it once."
        case .malformedLength: "Content-Length is malformed; send one plain decimal number of bytes."
        case .lengthAndTransferEncoding: "Content-Length and Transfer-Encoding are both given; send one of them."
        case .unsupportedTransferEncoding: "Transfer-Encoding is not supported here; send chunked alone, over HTTP/1.1."
        case .missingHost: "The Host header field is missing; send exactly one."
        case .duplicateHost: "The Host header field is given more than once; send exactly one."
        case .malformedHost: "The Host header field is malformed; send a host name and optionally a port."
        case .authorityMismatch: "The request target and the Host header field name different hosts; send the same."
        case .malformedTarget: "The request target is malformed; send an absolute path that is percent-encoded."
        case .malformedChunkSize: "A chunk size is malformed; send one plain hexadecimal number."
        case .chunkExtensionTooLong: "A chunk extension is too long; leave chunk extensions out."
        case .malformedChunk: "A chunk is malformed; end its data with CR LF and leave chunk extensions out."
        case .trailersTooLarge: "The trailer section is too large; send fewer or shorter trailer fields."
        case .forbiddenTrailer: "A trailer field is not allowed there; send it in the header section."
        }
    }
}
