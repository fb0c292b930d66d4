/// Looks on while a response body passes and remembers its beginning and its end, where providers put the model and
/// the usage. Reads nothing until asked; holds at most `headBytes` + `tailBytes`, however long the body.
///
/// Bodies are JSON, or server-sent events with JSON data; anything else gives `nil`.
public struct UsageTap: Sendable {
    private let tailBytes: Int
    private let headBytes: Int
    private var head: [UInt8] = []
    /// The last bytes, as a ring once it is full.
    private var tail: [UInt8] = []
    /// Where the ring's oldest byte is.
    private var oldest = 0

    /// Storage grows with what is seen and is kept for later bodies.
    public init(tailBytes: Int = 4096, headBytes: Int = 512) {
        self.tailBytes = max(1, tailBytes)
        self.headBytes = max(0, headBytes)
    }

    /// Remembers what it must of the next piece of the body.
    public mutating func observe(_ payload: UnsafeRawBufferPointer) {
        if head.count < headBytes {
            head.append(contentsOf: UnsafeRawBufferPointer(rebasing: payload.prefix(headBytes - head.count)))
        }
        var rest = UnsafeRawBufferPointer(rebasing: payload.suffix(tailBytes))
        if tail.count < tailBytes {
            let room = min(tailBytes - tail.count, rest.count)
            tail.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest.prefix(room)))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(room))
        }
        guard !rest.isEmpty else { return }
        overwrite(with: rest)
    }

    /// Forgets the body and keeps the storage.
    public mutating func reset() {
        guard !head.isEmpty || !tail.isEmpty else { return }
        head.removeAll(keepingCapacity: true)
        tail.removeAll(keepingCapacity: true)
        oldest = 0
    }

    /// What was said of usage and of the model; forgets the body, and keeps the storage.
    public mutating func take() -> (usage: ReportedUsage?, model: String?) {
        defer { reset() }
        return (usage, model)
    }

    /// The last usage reported: what stands nearest to its document's outside, and among those the last.
    ///
    /// Anthropic streams report input at the beginning and output at the end; the two are put together.
    public var usage: ReportedUsage? {
        let isDocument = head.first { $0 > 0x20 } == 0x7B
        let last = withTail { UsageSearch(bytes: $0, isDocument: isDocument).last() }
        guard var counts = last else { return nil }
        if counts.prompt == nil {
            counts.prompt = head.withUnsafeBytes { UsageSearch(bytes: $0, isDocument: false).firstPrompt() }
        }
        return counts.usage
    }

    /// The value of the first `"model"` that is a string, in the head or else in the tail.
    public var model: String? {
        head.withUnsafeBytes { UsageSearch(bytes: $0, isDocument: false).model() }
            ?? withTail { UsageSearch(bytes: $0, isDocument: false).model() }
    }
}

extension UsageTap {
    /// Puts at most `tailBytes` bytes over the oldest ones of a full ring.
    private mutating func overwrite(with bytes: UnsafeRawBufferPointer) {
        let toEnd = min(bytes.count, tailBytes - oldest)
        tail.withUnsafeMutableBytes { ring in
            UnsafeMutableRawBufferPointer(rebasing: ring[oldest...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes.prefix(toEnd)))
            ring.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(toEnd)))
        }
        oldest = (oldest + bytes.count) % tailBytes
    }

    /// The tail in order. A ring that has turned is straightened on the stack.
    private func withTail<Found>(_ body: (UnsafeRawBufferPointer) -> Found) -> Found {
        tail.withUnsafeBytes { ring in
            if oldest == 0 { return body(ring) }
            return withUnsafeTemporaryAllocation(byteCount: ring.count, alignment: 1) { straight in
                straight.copyMemory(from: UnsafeRawBufferPointer(rebasing: ring[oldest...]))
                UnsafeMutableRawBufferPointer(rebasing: straight[(ring.count - oldest)...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: ring[..<oldest]))
                return body(UnsafeRawBufferPointer(straight))
            }
        }
    }
}
