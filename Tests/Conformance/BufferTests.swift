import NIOCore
import Testing

@testable import ProxyRelay

@Suite struct BufferTests {
    @Test func whatWasReadGivesUpItsRoomThoughSomethingIsAlwaysLeft() {
        var buffer = ByteBuffer()
        var lent: [ByteBuffer] = []
        var sent: [UInt8] = []
        var received: [UInt8] = []
        for number in 0..<10_000 {
            let bytes = (0..<100).map { UInt8(truncatingIfNeeded: number &+ $0) }
            sent += bytes
            buffer.append(ByteBuffer(bytes: bytes))
            // Slices of it are held elsewhere for a while.
            if let slice = buffer.readSlice(length: buffer.readableBytes - 7) {
                received += Array(slice.readableBytesView)
                lent.append(slice)
                if lent.count > 3 { lent.removeFirst() }
            }
        }
        #expect(received + Array(buffer.readableBytesView) == sent)
        #expect(buffer.storageCapacity < 10_000)
    }
}
