import NIOCore
import ProxyWire

/// Reads one answer after the other, strictly, and keeps nothing of the bodies.
struct ResponseReader {
    private enum State {
        case head
        case sized(left: UInt64)
        case chunked
        case untilClose
        case done
    }

    private var state = State.done
    private var parser = ResponseHeadParser()
    private var head = ResponseHead()
    private var chunks = ChunkScanner()
    private var method = RequestMethod.get
    /// Bytes of a head whose end has not come.
    private var begun = ByteBuffer()
    private(set) var isEventStream = false

    /// Makes ready for the answer to a request.
    mutating func begin(answering method: RequestMethod) {
        self.method = method
        state = .head
        isEventStream = false
    }

    /// Whether the answer's head has come whole.
    var hasHead: Bool { if case .head = state { false } else { true } }

    var isComplete: Bool { if case .done = state { true } else { false } }

    /// Of the answer whose head has come: 100…599.
    var status: Int { head.status }

    /// Whether the connection can serve another request after the answer that is complete.
    var keepsAlive: Bool { head.keepsAlive }

    /// The connection has ended. Gives whether that is how the answer ends (RFC 9112 section 6.3).
    mutating func connectionEnded() -> Bool {
        guard case .untilClose = state else { return false }
        state = .done
        return true
    }

    /// Takes from `buffer` what belongs to the answer; leaves what comes after it.
    /// - Parameter payload: lent each run of content.
    /// - Throws: when the answer breaks the rules.
    mutating func read(
        _ buffer: inout ByteBuffer, payload: (UnsafeRawBufferPointer) -> Void
    ) throws(WireFault) {
        while buffer.readableBytes > 0 {
            switch state {
            case .done: return
            case .head: try readHead(&buffer)
            case .sized(let left):
                let count = Int(min(left, UInt64(buffer.readableBytes)))
                buffer.withUnsafeReadableBytes { payload(UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
                buffer.moveReaderIndex(forwardBy: count)
                state = UInt64(count) == left ? .done : .sized(left: left - UInt64(count))
            case .untilClose:
                buffer.withUnsafeReadableBytes { payload($0) }
                buffer.moveReaderIndex(to: buffer.writerIndex)
            case .chunked: try readChunks(&buffer, payload: payload)
            }
        }
    }

    private mutating func readHead(_ buffer: inout ByteBuffer) throws(WireFault) {
        if begun.readableBytes > 0 {
            begun.writeBuffer(&buffer)
            swap(&begun, &buffer)
            begun = ByteBuffer()
        }
        let isWhole = try Self.passing(buffer) { bytes throws(WireFault) in
            let isWhole = try parser.parse(bytes, answering: method, into: &head)
            if isWhole { isEventStream = Self.isEventStream(head, bytes) }
            return isWhole
        }
        guard isWhole else {
            begun = buffer
            buffer = ByteBuffer()
            return
        }
        buffer.moveReaderIndex(forwardBy: head.length)
        guard !head.isInterim else { return }
        guard head.status != 101 else { throw .malformedStatusLine }  // No request here asks for an upgrade.
        begin(head.framing)
    }

    private mutating func begin(_ framing: BodyFraming) {
        switch framing {
        case .none, .length(0): state = .done
        case .length(let length): state = .sized(left: length)
        case .untilClose: state = .untilClose
        case .chunked:
            chunks.reset()
            state = .chunked
        }
    }

    private mutating func readChunks(
        _ buffer: inout ByteBuffer, payload: (UnsafeRawBufferPointer) -> Void
    ) throws(WireFault) {
        let count = try Self.passing(buffer) { bytes throws(WireFault) in
            try chunks.scan(bytes) { payload(UnsafeRawBufferPointer(rebasing: bytes[$0])) }
        }
        buffer.moveReaderIndex(forwardBy: count)
        if chunks.isComplete { state = .done }
    }

    /// Lends the readable bytes; what is thrown keeps its type.
    private static func passing<Value>(
        _ buffer: ByteBuffer, to body: (UnsafeRawBufferPointer) throws(WireFault) -> Value
    ) throws(WireFault) -> Value {
        let result: Result<Value, WireFault> = buffer.withUnsafeReadableBytes { bytes in
            do throws(WireFault) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func isEventStream(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let range = head.value(of: .contentType) else { return false }
        let name = "text/event-stream"
        return range.count >= name.utf8.count
            && zip(bytes[range], name.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }
}
