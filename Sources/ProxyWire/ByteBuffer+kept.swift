public import NIOCore

extension ByteBuffer {
    /// Appends the field lines whose kind is not in `dropping`, as they were sent, CRLFs included and in order.
    ///
    /// `fields` are offsets into `head`, as a parser left them. Neighbours that stay are copied together.
    public mutating func writeKept(
        _ fields: [FieldLine], of head: UnsafeRawBufferPointer, dropping: FieldKinds
    ) {
        var runStart = 0
        var runEnd = 0
        for field in fields where !dropping.contains(field.kind) {
            if runEnd != Int(field.start) {
                writeRun(runStart..<runEnd, of: head)
                runStart = Int(field.start)
            }
            runEnd = Int(field.end)
        }
        writeRun(runStart..<runEnd, of: head)
    }

    private mutating func writeRun(_ run: Range<Int>, of head: UnsafeRawBufferPointer) {
        guard !run.isEmpty else { return }
        writeBytes(UnsafeRawBufferPointer(rebasing: head[run]))
    }
}
