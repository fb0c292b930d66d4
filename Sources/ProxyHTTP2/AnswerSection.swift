public import NIOCore
public import ProxyWire

extension ByteBuffer {
    /// Packs an answer's head as HTTP/1.1 has it. What concerns one connection is left out, and names are in lower case (RFC 9113
    /// section 8.2).
    /// - Parameter bytes: what `head` was read from.
    public mutating func writeAnswerSection(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
        writeStatusLine(head.status)
        for field in head.fields where !FieldKinds.hopByHop.contains(field.kind) { writeField(field, of: bytes) }
    }

    /// Packs the trailers of an answer.
    /// - Parameter lines: as a chunked body ends with them, found sound.
    public mutating func writeTrailerSection(_ lines: UnsafeRawBufferPointer) {
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            // Without its CR. The last one is empty, and no field.
            guard let field = try? FieldSyntax.line(line.startIndex..<line.endIndex - 1, in: lines) else { continue }
            writeField(field, of: lines)
        }
    }

    mutating func writeField(_ field: FieldLine, of bytes: UnsafeRawBufferPointer, isSecret: Bool = false) {
        writeUnindexed(
            name: UnsafeRawBufferPointer(rebasing: bytes[field.nameRange]),
            value: UnsafeRawBufferPointer(rebasing: bytes[field.valueRange]), isSecret: isSecret)
    }
}
