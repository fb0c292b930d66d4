/// What request lines and status lines have in common.
enum StartLine {
    /// The minor version of the eight bytes of `HTTP/1.x` at `start` (RFC 9112 section 2.3).
    @inline(__always)
    static func minorVersion(
        at start: Int, _ line: Range<Int>, _ bytes: UnsafeRawBufferPointer, else fault: WireFault
    ) throws(WireFault) -> Int {
        let range = start..<start + 8
        if bytes.isExactly("HTTP/1.1", at: range) { return 1 }
        if bytes.isExactly("HTTP/1.0", at: range) { return 0 }
        if let worse = FieldSyntax.lineFault(line, bytes) { throw worse }
        let isVersion =
            bytes.isExactly("HTTP/", at: start..<start + 5) && bytes.byte(start + 5).isDigit
            && bytes.byte(start + 6) == 0x2E && bytes.byte(start + 7).isDigit
        throw isVersion ? .unsupportedVersion : fault
    }
}
