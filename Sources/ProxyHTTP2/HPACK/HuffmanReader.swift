import ProxyWire

/// Unpacks one Huffman-coded string, piece by piece (RFC 7541 section 5.2).
struct HuffmanReader {
    private var bits: HuffmanBits
    /// Whether all of the string has been given.
    private(set) var isAtEnd = false

    /// What one turn of `read` writes at most: the codes, of 5 bits and more, in a window.
    private static let mostInWindow = 13

    @inline(__always)
    init(_ packed: UnsafeRawBufferPointer) { bits = HuffmanBits(packed) }

    /// Writes what comes next.
    /// - Parameter piece: at least 13 bytes.
    /// - Returns: how many bytes were written: as many as fit, but for a few, or all that were left.
    @inline(__always)
    mutating func read(into piece: UnsafeMutableRawBufferPointer) throws(HPACKFault) -> Int {
        // In variables of its own, so that the loop runs in registers.
        var bits = bits
        defer { self.bits = bits }
        var written = 0
        let isFinished = try HuffmanCode.shared.short.withUnsafeBufferPointer { (short) throws(HPACKFault) in
            while piece.count &- written >= Self.mostInWindow {
                bits.fill()
                // The longest code is of 30 bits, so here the string has fewer left.
                guard bits.count >= 30 else {
                    try Self.finish(&bits, short, into: piece, &written)
                    return true
                }
                repeat {
                    piece.storeBytes(of: try bits.next(short), toByteOffset: written, as: UInt8.self)
                    written &+= 1
                } while bits.count >= 30
            }
            return false
        }
        isAtEnd = isFinished
        return written
    }

    /// The last few codes, and the padding: fewer than eight bits, all ones as EOS begins (RFC 7541 section 5.2).
    @inline(__always)
    private static func finish(
        _ bits: inout HuffmanBits, _ short: UnsafeBufferPointer<UInt16>, into piece: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) throws(HPACKFault) {
        bits.pad()
        while bits.count > 0 {
            if bits.count < 8, bits.areOnes { return }
            let symbol = try bits.next(short)
            // A code that is cut, or too much padding.
            guard bits.count >= 0 else { throw .malformed }
            piece.storeBytes(of: symbol, toByteOffset: written, as: UInt8.self)
            written &+= 1
        }
    }
}

/// The bits of a packed string that come next.
private struct HuffmanBits {
    private let packed: UnsafeRawBufferPointer
    /// How many bytes have been taken into `window`.
    private var position = 0
    /// The bits, from the highest down. Those beyond `count` are of no meaning, but never wrong.
    private var window: UInt64 = 0
    private(set) var count = 0

    @inline(__always)
    init(_ packed: UnsafeRawBufferPointer) { self.packed = packed }

    /// Takes as many bytes into the window as it holds, but for one. There are fewer than 57 bits in it.
    @inline(__always)
    mutating func fill() {
        if packed.count &- position >= 8, let base = packed.baseAddress {
            let word = UInt64(bigEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            window |= word &>> UInt64(truncatingIfNeeded: count)
            let taken = (63 &- count) &>> 3
            position &+= taken
            count &+= taken &* 8
        } else {
            while count <= 56, position < packed.count {
                window |= UInt64(packed.byte(position)) &<< UInt64(truncatingIfNeeded: 56 &- count)
                position &+= 1
                count &+= 8
            }
        }
    }

    /// Makes what isn't there look like padding.
    @inline(__always)
    mutating func pad() { window |= UInt64.max >> UInt64(truncatingIfNeeded: count) }

    /// Whether all that are left, of which there are some, are ones.
    @inline(__always)
    var areOnes: Bool { ~window &>> UInt64(truncatingIfNeeded: 64 &- count) == 0 }

    /// The symbol that comes next. When its code isn't all there, `count` is below zero afterwards.
    @inline(__always)
    mutating func next(_ short: UnsafeBufferPointer<UInt16>) throws(HPACKFault) -> UInt8 {
        let entry = short[Int(truncatingIfNeeded: window &>> 56)]
        guard entry == 0 else {
            take(Int(truncatingIfNeeded: entry &>> 8))
            return UInt8(truncatingIfNeeded: entry)
        }
        let found = HuffmanCode.shared.long(UInt32(truncatingIfNeeded: window &>> 32))
        // EOS within a string (RFC 7541 section 5.2).
        guard found.symbol < 256 else { throw .malformed }
        take(found.length)
        return UInt8(truncatingIfNeeded: found.symbol)
    }

    @inline(__always)
    private mutating func take(_ length: Int) {
        window &<<= UInt64(truncatingIfNeeded: length)
        count &-= length
    }
}
