import Glibc
public import NIOCore

/// Packs field lines (RFC 7541) in a way that needs no memory on either side: nothing is to be remembered, so blocks
/// may be written in any order, and each is read alike whatever came before it.
extension ByteBuffer {
    /// Writes a line that no table remembers (RFC 7541 section 6.2.2), its name in lower case, neither of them
    /// Huffman-coded.
    ///
    /// A name of the static table is written as its index.
    /// - Parameter isSecret: whether nobody on the way is to remember it either (RFC 7541 sections 6.2.3 and 7.1.3).
    public mutating func writeUnindexed(
        name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, isSecret: Bool = false
    ) {
        // A first byte and two lengths.
        let most = name.count + value.count + 1 + 2 * mostIntegerBytes
        writeWithUnsafeMutableBytes(minimumWritableBytes: most) { memory in
            guard let start = memory.baseAddress else { return 0 }
            start.storeBytes(of: 0, as: UInt8.self)
            var end = start + 1
            end = end.storeInteger(name.count, prefix: 7)
            end.storeLowercased(name)
            let index = HPACKStaticTable.shared.index(of: UnsafeRawBufferPointer(start: end, count: name.count))
            end = index > 0 ? start.storeInteger(Int(index), prefix: 4) : end + name.count
            end = end.storeInteger(value.count, prefix: 7)
            if isSecret { start.storeBytes(of: start.load(as: UInt8.self) | 0x10, as: UInt8.self) }
            if let source = value.baseAddress { memcpy(end, source, value.count) }
            return start.distance(to: end) + value.count
        }
    }

    /// Writes `:status`: all of it as an index where the static table has it (RFC 7541 section 6.1), else its name.
    /// - Parameter status: 100...599.
    public mutating func writeStatusLine(_ status: Int) {
        precondition(status >= 100 && status <= 599, "no status: \(status)")
        switch status {
        case 200: writeInteger(0x88 as UInt8)
        case 204: writeInteger(0x89 as UInt8)
        case 206: writeInteger(0x8A as UInt8)
        case 304: writeInteger(0x8B as UInt8)
        case 400: writeInteger(0x8C as UInt8)
        case 404: writeInteger(0x8D as UInt8)
        case 500: writeInteger(0x8E as UInt8)
        default:
            writeInteger(0x08 as UInt8)
            // The length 3 and as many digits.
            let digits = (status / 100) << 16 | (status / 10 % 10) << 8 | status % 10
            writeInteger(0x0330_3030 | UInt32(truncatingIfNeeded: digits))
        }
    }

    /// Writes that the table is of no bytes from here on (RFC 7541 section 6.3). At the beginning of a block only.
    ///
    /// Once in a connection's first block, it keeps the promise of section 4.2 ever after: whoever lowers
    /// SETTINGS_HEADER_TABLE_SIZE may wait to hear that its wish is kept, but nobody can lower it below 0.
    public mutating func writeEmptyTable() { writeInteger(0x20 as UInt8) }
}

/// The most bytes that an integer may take: 63 bits by seven, and the first byte.
private let mostIntegerBytes = 10

extension UnsafeMutableRawPointer {
    /// Writes an integer (RFC 7541 section 5.1) behind zeros in its first byte.
    /// - Returns: where it ends.
    @inline(__always)
    fileprivate func storeInteger(_ value: Int, prefix: Int) -> UnsafeMutableRawPointer {
        let mask = 1 &<< prefix &- 1
        guard value >= mask else {
            storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
            return self + 1
        }
        storeBytes(of: UInt8(truncatingIfNeeded: mask), as: UInt8.self)
        var rest = value &- mask
        var end = self + 1
        while rest >= 0x80 {
            end.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            rest &>>= 7
            end += 1
        }
        end.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        return end + 1
    }

    /// Copies a name with its ASCII letters in lower case, eight bytes at a time where there are as many.
    @inline(__always)
    fileprivate func storeLowercased(_ name: UnsafeRawBufferPointer) {
        guard let source = name.baseAddress else { return }
        let count = name.count
        guard count >= 8 else {
            for offset in 0..<count {
                let byte = source.load(fromByteOffset: offset, as: UInt8.self)
                let isCapital = byte &- 0x41 < 26
                storeBytes(of: isCapital ? byte | 0x20 : byte, toByteOffset: offset, as: UInt8.self)
            }
            return
        }
        var offset = 0
        while true {
            let word = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            storeBytes(of: lowercased(word), toByteOffset: offset, as: UInt64.self)
            if offset == count &- 8 { return }
            // The last word may overlap the one before it.
            offset = min(offset &+ 8, count &- 8)
        }
    }
}

/// Each of eight bytes in lower case. The high bit of a byte tells whether its low seven are at least `A`, and beyond
/// `Z`.
@inline(__always)
private func lowercased(_ word: UInt64) -> UInt64 {
    let low = word & 0x7F7F_7F7F_7F7F_7F7F
    let fromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
    let beyondZ = low &+ 0x2525_2525_2525_2525
    let capitals = (fromA ^ beyondZ) & ~word & 0x8080_8080_8080_8080
    return word | capitals &>> 2
}
