import ProxyWire

/// Reads integers and strings (RFC 7541 section 5) off a block of at least one byte.
struct HPACKReader {
    /// A string as it was sent.
    struct Piece {
        let bytes: UnsafeRawBufferPointer
        let isHuffman: Bool
    }

    private let block: UnsafeRawBufferPointer
    private var position = 0

    init(_ block: UnsafeRawBufferPointer) { self.block = block }

    @inline(__always)
    var isAtEnd: Bool { position == block.count }

    /// The byte that comes next. Not to be asked at the end.
    @inline(__always)
    var next: UInt8 { block.byte(position) }

    /// An integer in the low `prefix` bits of the next byte and in those after it (RFC 7541 section 5.1).
    ///
    /// The RFC wants a limit: five bytes after the first, and values below 2²⁸, which are more than any block needs.
    @inline(__always)
    mutating func integer(prefix: Int) throws(HPACKFault) -> Int {
        guard !isAtEnd else { throw .malformed }
        let mask = 1 &<< prefix &- 1
        let value = Int(block.byte(position)) & mask
        position &+= 1
        return value < mask ? value : try continued(value)
    }

    private mutating func continued(_ low: Int) throws(HPACKFault) -> Int {
        var value = low
        for shift in stride(from: 0, through: 28, by: 7) {
            guard !isAtEnd else { throw .malformed }
            let byte = block.byte(position)
            position += 1
            value += Int(byte & 0x7F) << shift
            if byte < 0x80 {
                guard value < 1 << 28 else { throw .malformed }
                return value
            }
        }
        throw .malformed
    }

    /// A string, still packed if it was (RFC 7541 section 5.2). All of it lies in the block.
    @inline(__always)
    mutating func string() throws(HPACKFault) -> Piece {
        guard !isAtEnd else { throw .malformed }
        let isHuffman = next >= 0x80
        let count = try integer(prefix: 7)
        guard count <= block.count &- position else { throw .malformed }
        let bytes = block.piece(at: position, count)
        position &+= count
        return Piece(bytes: bytes, isHuffman: isHuffman)
    }
}

extension UnsafeRawBufferPointer {
    /// The `length` bytes at `offset`, which must lie within these: checked in debug builds only.
    @inline(__always)
    func piece(at offset: Int, _ length: Int) -> UnsafeRawBufferPointer {
        assert(offset >= 0 && length >= 0 && length <= count - offset, "a piece outside of the bytes given")
        return UnsafeRawBufferPointer(start: baseAddress.map { $0 + offset }, count: length)
    }
}
