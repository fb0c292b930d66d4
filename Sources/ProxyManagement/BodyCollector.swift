import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Gathers what the router writes, since the answer is handed over whole.
struct BodyCollector: ResponseBodyWriter {
    private final class Gathered: Sendable {
        let bytes = Mutex(ByteBuffer())
    }

    private let gathered = Gathered()

    static func collect(_ body: ResponseBody) async throws -> ByteBuffer {
        let collector = BodyCollector()
        let gathered = collector.gathered
        try await body.write(collector)
        return gathered.bytes.withLock { $0 }
    }

    mutating func write(_ buffer: ByteBuffer) async throws {
        gathered.bytes.withLock { _ = $0.writeImmutableBuffer(buffer) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
