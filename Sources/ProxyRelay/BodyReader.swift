import NIOCore
import ProxyWire

/// Finds where a body ends in bytes that pass by, whatever its framing. Copies nothing.
struct BodyReader {
    private enum State {
        case done
        case sized(left: UInt64)
        case chunked
        case untilClose
    }

    private var state = State.done
    private var chunks: ChunkScanner
    /// Bytes of content seen so far, without the framing of chunks.
    private(set) var payloadBytes: UInt64 = 0

    init(limits: WireLimits) { chunks = ChunkScanner(limits: limits) }

    /// Makes ready for a body of `framing`.
    mutating func begin(_ framing: BodyFraming, limits: WireLimits) {
        payloadBytes = 0
        switch framing {
        case .none: state = .done
        case .length(0): state = .done
        case .length(let length): state = .sized(left: length)
        case .chunked:
            chunks = ChunkScanner(limits: limits)
            state = .chunked
        case .untilClose: state = .untilClose
        }
    }

    var isComplete: Bool { if case .done = state { true } else { false } }
    var endsWithConnection: Bool { if case .untilClose = state { true } else { false } }

    /// The connection has ended. Gives whether that is how this body ends.
    mutating func connectionEnded() -> Bool {
        guard endsWithConnection else { return false }
        state = .done
        return true
    }

    /// Takes from `buffer` what belongs to the body, framing included; leaves what comes after it.
    /// - Parameters:
    ///   - payload: lent each run of content within the taken bytes.
    ///   - trailers: lent each run of what comes after chunked content, its last and empty line included.
    /// - Throws: when the framing is broken.
    mutating func take(
        from buffer: inout ByteBuffer, payload: (UnsafeRawBufferPointer) -> Void,
        trailers: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(WireFault) -> ByteBuffer {
        switch state {
        case .done: return ByteBuffer()
        case .sized(let left):
            let count = Int(min(left, UInt64(buffer.readableBytes)))
            payloadBytes += UInt64(count)
            state = UInt64(count) == left ? .done : .sized(left: left - UInt64(count))
            buffer.withUnsafeReadableBytes { payload(UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
            return buffer.readSlice(length: count) ?? ByteBuffer()
        case .untilClose:
            payloadBytes += UInt64(buffer.readableBytes)
            buffer.withUnsafeReadableBytes { payload($0) }
            return buffer.readSlice(length: buffer.readableBytes) ?? ByteBuffer()
        case .chunked:
            let consumed = try scan(buffer, payload: payload, trailers: trailers)
            if chunks.isComplete { state = .done }
            return buffer.readSlice(length: consumed) ?? ByteBuffer()
        }
    }

    private mutating func scan(
        _ buffer: ByteBuffer, payload: (UnsafeRawBufferPointer) -> Void, trailers: (UnsafeRawBufferPointer) -> Void
    ) throws(WireFault) -> Int {
        let result: Result<Int, WireFault> = buffer.withUnsafeReadableBytes { bytes in
            do throws(WireFault) {
                return .success(
                    try chunks.scan(bytes) {
                        payload(UnsafeRawBufferPointer(rebasing: bytes[$0]))
                    } trailers: {
                        trailers(UnsafeRawBufferPointer(rebasing: bytes[$0]))
                    })
            } catch {
                return .failure(error)
            }
        }
        payloadBytes = chunks.payloadBytes
        return try result.get()
    }
}
