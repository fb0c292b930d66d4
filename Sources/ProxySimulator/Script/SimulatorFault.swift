/// What goes wrong with an answer on purpose. The raw value is what `X-Sim-Fault` names.
public enum SimulatorFault: String, Hashable, Sendable, CaseIterable {
    /// TCP reset instead of an answer.
    case resetBeforeHead = "reset-before-head"
    /// TCP reset right after the head.
    case resetAfterHead = "reset-after-head"
    /// TCP reset inside the body.
    case resetInBody = "reset-in-body"
    /// Orderly end of the stream instead of an answer.
    case closeBeforeHead = "close-before-head"
    /// Orderly end of the stream in the middle of the head.
    case closeInHead = "close-in-head"
    /// Orderly end of the stream inside the body.
    case closeInBody = "close-in-body"
    /// Silence instead of an answer, until the other side gives up.
    case hang
    /// Silence right after the head.
    case hangAfterHead = "hang-after-head"
    /// Silence inside the body.
    case hangInBody = "hang-in-body"
    /// Bytes that are no HTTP.
    case garbage
    /// A head that never ends.
    case endlessHead = "endless-head"
    /// `Content-Length` above what comes; then the stream ends.
    case lengthTooLong = "length-too-long"
    /// `Content-Length` below what comes.
    case lengthTooShort = "length-too-short"
    /// `Content-Length` and `Transfer-Encoding` in one head, as a smuggler would.
    case bothLengths = "both-lengths"
    /// Two `Content-Length` fields that differ.
    case twoLengths = "two-lengths"
    /// A chunk whose size is not hexadecimal.
    case badChunkSize = "bad-chunk-size"
    /// Chunks whose last one never comes; then the stream ends.
    case noLastChunk = "no-last-chunk"
    /// Lines of the head that end with LF alone.
    case bareLineFeeds = "bare-line-feeds"
    /// A field folded over two lines (RFC 9112 section 5.2).
    case foldedField = "folded-field"
    /// Space between a field's name and its colon.
    case spaceBeforeColon = "space-before-colon"
    /// A NUL in a field's value.
    case nulInField = "nul-in-field"
    /// A status line without a proper status.
    case badStatus = "bad-status"
    /// Bytes nobody asked for after a whole answer.
    case extraAfterAnswer = "extra-after-answer"
    /// The connection is closed after the answer without having said so: the next request on it finds it stale.
    case closeAfterAnswer = "close-after-answer"
}
