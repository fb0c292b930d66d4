/// The lines of one field section, as offsets into one run of bytes.
///
/// Made once per connection and read into again and again, so that it allocates nothing once warm.
public struct FieldSectionLines: Sendable {
    /// One line: where its name and its value, which follow each other, lie among bytes.
    public struct Line: Sendable {
        let start: UInt32
        let nameEnd: UInt32
        let end: UInt32
        /// The index of the first entry of the static table with this name (RFC 7541 appendix A), when the name came
        /// from there, be it by way of the dynamic table. 0 when it was spelled out, whatever it says.
        public let staticIndex: UInt8

        /// Where the name lies in `bytes`.
        public var name: Range<Int> { Range(uncheckedBounds: (Int(start), Int(nameEnd))) }
        /// Where the value lies in `bytes`.
        public var value: Range<Int> { Range(uncheckedBounds: (Int(nameEnd), Int(end))) }

        /// The offsets must be in order and below 2³².
        @inline(__always)
        init(start: Int, nameEnd: Int, end: Int, staticIndex: UInt8) {
            assert(0 <= start && start <= nameEnd && nameEnd <= end && end <= UInt32.max)
            self.start = UInt32(truncatingIfNeeded: start)
            self.nameEnd = UInt32(truncatingIfNeeded: nameEnd)
            self.end = UInt32(truncatingIfNeeded: end)
            self.staticIndex = staticIndex
        }
    }

    /// All names and values.
    public private(set) var bytes: [UInt8] = []
    /// The lines in the order in which they were sent.
    public private(set) var lines: [Line] = []
    /// How many bytes may still come, counted as RFC 9113 section 6.5.2 does.
    private var bytesLeft = 0
    private var linesLeft = 0

    public init() {}
}

/// What fills it.
extension FieldSectionLines {
    /// What each line counts beside its bytes (RFC 9113 section 6.5.2, RFC 7541 section 4.1).
    static var lineOverhead: Int { 32 }

    mutating func empty(mostBytes: Int, mostLines: Int) {
        bytes.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        bytesLeft = mostBytes
        linesLeft = mostLines
    }

    /// Begins a line.
    /// - Returns: where its name begins.
    @inline(__always)
    mutating func beginLine() throws(HPACKFault) -> Int {
        linesLeft -= 1
        bytesLeft -= Self.lineOverhead
        guard linesLeft >= 0, bytesLeft >= 0 else { throw .tooLarge }
        return bytes.count
    }

    /// Appends a piece of the line that has begun.
    @inline(__always)
    mutating func append(_ piece: UnsafeRawBufferPointer) throws(HPACKFault) {
        bytesLeft -= piece.count
        guard bytesLeft >= 0 else { throw .tooLarge }
        bytes.append(contentsOf: piece)
    }

    /// Unpacks a Huffman-coded string (RFC 7541 section 5.2) at the end of the line that has begun. By pieces, so that
    /// what is too large is not unpacked to its end.
    mutating func append(huffman packed: UnsafeRawBufferPointer) throws(HPACKFault) {
        var reader = HuffmanReader(packed)
        // 256 bytes are on the stack, and more than most strings are.
        try withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { (piece) throws(HPACKFault) in
            repeat {
                let count = try reader.read(into: piece)
                try append(UnsafeRawBufferPointer(start: piece.baseAddress, count: count))
            } while !reader.isAtEnd
        }
    }

    /// Ends the line that began at `start`, whose value is all that came after `nameEnd`.
    @inline(__always)
    mutating func endLine(from start: Int, nameEnd: Int, staticIndex: UInt8) {
        lines.append(Line(start: start, nameEnd: nameEnd, end: bytes.count, staticIndex: staticIndex))
    }
}
