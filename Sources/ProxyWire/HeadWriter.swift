import Glibc
public import NIOCore

/// Writes a head, piece by piece, into memory that was measured for all of it: each piece is one copy.
///
/// A `ByteBuffer` asks at each write whether it is alone and large enough, which costs more than most pieces of a head do.
public struct HeadWriter {
    private let memory: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    public private(set) var count = 0

    init(into memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    /// Lends memory for `length` bytes, all of which are to be filled.
    public mutating func write(_ length: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        precondition(length <= memory.count - count, "a head is larger than it was measured")
        fill(UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + length]))
        count += length
    }

    public mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, let target = memory.baseAddress else { return }
        precondition(bytes.count <= memory.count - count, "a head is larger than it was measured")
        memcpy(target + count, source, bytes.count)
        count += bytes.count
    }

    public mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// Writes a number's digits. Not for any integer type: nothing generic is specialised across modules, and this is done for each answer.
    public mutating func writeDecimal(_ number: Int64) {
        if number < 0 { write("-") }
        var rest = number.magnitude
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var start = 20
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            write(UnsafeRawBufferPointer(rebasing: digits[start...]))
        }
    }

    /// Writes the field lines whose kind is not in `dropping`, as they were sent, CRLFs included and in order.
    ///
    /// `fields` are offsets into `head`, as a parser left them. Neighbours that stay are copied together.
    /// - Parameters:
    ///   - name: in lower case, of fields to be left out too whatever their kind; empty for none.
    ///   - isSecret: whether a field with such a value is to be left out; `nil` when none is.
    public mutating func writeKept(
        _ fields: [FieldLine], of head: UnsafeRawBufferPointer, dropping: FieldKinds, named name: [UInt8] = [],
        isSecret: ((UnsafeRawBufferPointer) -> Bool)? = nil
    ) {
        var runStart = 0
        var runEnd = 0
        for field in fields where !dropping.contains(field.kind) {
            if !name.isEmpty, field.isNamed(name, in: head) { continue }
            if let isSecret, isSecret(UnsafeRawBufferPointer(rebasing: head[field.valueRange])) { continue }
            if runEnd != Int(field.start) {
                write(UnsafeRawBufferPointer(rebasing: head[runStart..<runEnd]))
                runStart = Int(field.start)
            }
            runEnd = Int(field.end)
        }
        write(UnsafeRawBufferPointer(rebasing: head[runStart..<runEnd]))
    }
}

extension ByteBuffer {
    /// Appends a head of at most so many bytes.
    public mutating func writeHead(ofAtMost length: Int, _ write: (inout HeadWriter) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: length) { memory in
            var writer = HeadWriter(into: memory)
            write(&writer)
            return writer.count
        }
    }
}
