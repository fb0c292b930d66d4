import Glibc

/// What the sender of a direction has had remembered, newest first (RFC 7541 sections 2.3.2 and 4).
///
/// Names and values lie behind each other in one run of bytes, oldest first. A new entry goes to the end. When the run
/// is full, the bytes that still count move to its front; as it is at least twice as long as they are, each byte moves
/// once on average.
struct HPACKDynamicTable: Sendable {
    /// At most this many bytes, counted as RFC 7541 section 4.1 does.
    private(set) var limit: Int
    /// The bytes it has, so counted.
    private(set) var size = 0
    /// How many entries there are.
    private(set) var count = 0
    /// All of the room there is, whether in use or not.
    private(set) var bytes: [UInt8] = []
    /// Where the next entry's bytes go.
    private var end = 0
    /// The entries in a ring, whose size is a power of two.
    private var ring: [FieldSectionLines.Line] = []
    /// How many entries there ever were: the next one's place in the ring, once wrapped around.
    private var added = 0

    init(limit: Int) { self.limit = limit }

    /// The entry at `index`, 1 being the newest; `nil` when there are fewer. Its offsets are into `bytes`.
    @inline(__always)
    func entry(_ index: Int) -> FieldSectionLines.Line? {
        guard index > 0, index <= count else { return nil }
        return ring[place(index)]
    }

    @inline(__always)
    private func place(_ index: Int) -> Int { (added &- index) & (ring.count &- 1) }

    /// Changes the limit and drops what is beyond it (RFC 7541 section 4.3).
    mutating func resize(to limit: Int) {
        self.limit = limit
        evict(downTo: limit)
    }

    /// Adds an entry, for which older ones go (RFC 7541 section 4.4).
    /// - Parameter line: its name and, behind it, its value. Not a part of this table.
    mutating func add(_ line: UnsafeRawBufferPointer, nameCount: Int, staticIndex: UInt8) {
        let cost = line.count + FieldSectionLines.lineOverhead
        // One that is larger than the table empties it.
        guard cost <= limit else { return evict(downTo: 0) }
        evict(downTo: limit - cost)
        if line.count > bytes.count - end { makeRoom(for: line.count) }
        if count == ring.count { growRing() }
        let start = end
        if let source = line.baseAddress {
            bytes.withUnsafeMutableBytes { room in
                guard let target = room.baseAddress, line.count <= room.count - start else { return }
                memcpy(target + start, source, line.count)
            }
        }
        end = start + line.count
        ring[added & (ring.count - 1)] = FieldSectionLines.Line(
            start: start, nameEnd: start + nameCount, end: end, staticIndex: staticIndex)
        added &+= 1
        count += 1
        size += cost
    }

    @inline(__always)
    private mutating func evict(downTo most: Int) {
        while size > most {
            let oldest = ring[place(count)]
            size &-= Int(oldest.end &- oldest.start) &+ FieldSectionLines.lineOverhead
            count &-= 1
        }
        if count == 0 { end = 0 }
    }

    /// Moves the bytes in use to the front, into a longer run unless half of this one will do for them and `length`
    /// more.
    private mutating func makeRoom(for length: Int) {
        let start = count > 0 ? Int(ring[place(count)].start) : end
        let used = end - start
        let needed = 2 * (used + length)
        if needed > bytes.count {
            var longer = [UInt8](repeating: 0, count: max(needed, 256))
            longer.replaceSubrange(0..<used, with: bytes[start..<end])
            bytes = longer
        } else {
            bytes.withUnsafeMutableBytes { room in
                guard let base = room.baseAddress else { return }
                memmove(base, base + start, used)
            }
        }
        for index in stride(from: count, to: 0, by: -1) {
            let entry = ring[place(index)]
            ring[place(index)] = FieldSectionLines.Line(
                start: Int(entry.start) - start, nameEnd: Int(entry.nameEnd) - start, end: Int(entry.end) - start,
                staticIndex: entry.staticIndex)
        }
        end = used
    }

    private mutating func growRing() {
        let nothing = FieldSectionLines.Line(start: 0, nameEnd: 0, end: 0, staticIndex: 0)
        let older = (0..<count).map { ring[place(count - $0)] }
        ring = older + Array(repeating: nothing, count: max(16, count))
        added = count
    }
}
