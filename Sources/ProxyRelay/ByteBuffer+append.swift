import NIOCore

extension ByteBuffer {
    /// Adds what comes behind what is unread. What was read gives up its room, which a buffer does not by itself: one that is never
    /// read to its end would grow by all that ever came.
    mutating func append(_ more: ByteBuffer) {
        guard readableBytes > 0 else {
            self = more
            return
        }
        if readerIndex >= readableBytes {
            var unread = ByteBuffer()
            unread.reserveCapacity(readableBytes + more.readableBytes)
            unread.writeImmutableBuffer(self)
            self = unread
        }
        writeImmutableBuffer(more)
    }
}
