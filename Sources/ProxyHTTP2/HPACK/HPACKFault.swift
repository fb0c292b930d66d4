/// Why a field section can't be read. Whichever it is, what the decoder remembers no longer is what the sender does
/// (RFC 9113 section 4.3): no further section of the connection can be read.
public enum HPACKFault: Error, Hashable, Sendable {
    /// COMPRESSION_ERROR: the connection can't go on (RFC 9113 section 4.3).
    case malformed
    /// More bytes or lines than the limits allow, once unpacked: counted as RFC 9113 section 6.5.2 does
    /// (name + value + 32). Thrown as soon as it is known, so that what follows is not read.
    case tooLarge
}
