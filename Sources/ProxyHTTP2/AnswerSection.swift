public import NIOCore
public import ProxyWire

extension ByteBuffer {
    /// Packs an answer's head as HTTP/1.1 has it. What concerns one connection is left out, and names are in lower case (RFC 9113
    /// section 8.2).
    /// - Parameter bytes: what `head` was read from.
    public mutating func writeAnswerSection(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
        writeStatusLine(head.status)
        for field in head.fields where !FieldKinds.hopByHop.contains(field.kind) {
            writeUnindexed(
                name: UnsafeRawBufferPointer(rebasing: bytes[field.nameRange]),
                value: UnsafeRawBufferPointer(rebasing: bytes[field.valueRange]))
        }
    }

    /// Packs the trailers of an answer.
    /// - Parameter lines: as a chunked body ends with them, found sound.
    public mutating func writeTrailerSection(_ lines: UnsafeRawBufferPointer) {
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
            let value = line[(colon + 1)...].drop(while: isBlank)
            let end = value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex
            writeUnindexed(
                name: UnsafeRawBufferPointer(rebasing: line[..<colon]),
                value: UnsafeRawBufferPointer(rebasing: value[..<end]))
        }
    }
}
