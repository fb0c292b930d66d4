public import NIOCore

extension FieldSectionLines {
    /// The lines of trailers as a chunked body ends with them, without the empty one; `nil` for malformed ones (RFC 9113 section 8.1).
    public borrowing func trailerText() -> ByteBuffer? {
        bytes.withUnsafeBytes { bytes in
            var text = ByteBuffer()
            for line in lines {
                guard FieldRules.isSound(line, bytes), bytes[line.name.lowerBound] != UInt8(ascii: ":") else {
                    return nil
                }
                text.writeLine(line, bytes)
            }
            return text
        }
    }
}

extension ByteBuffer {
    mutating func writeLine(_ line: FieldSectionLines.Line, _ bytes: UnsafeRawBufferPointer) {
        writeBytes(bytes[line.name])
        writeStaticString(": ")
        writeBytes(bytes[line.value])
        writeStaticString("\r\n")
    }
}
