/// JSON text written so that equal requests are equal bytes: without white space, the members of the outermost object sorted by their
/// keys as they are spelt. Further in, order may mean something: answers in JSON follow the order of their schema.
///
/// Numbers and strings stay as they are spelt. Of two equal keys, which readers differ on, the order stays; so it does of all where a
/// key has an escape, and may be another's equal.
public enum CanonicalJSON {
    /// Deeper nesting counts as no JSON.
    private static let deepest = 64

    /// - Returns: false when `text` is not JSON, or more than 64 deep; what was appended by then means nothing.
    public static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Bool {
        var scan = JSONScan(text)
        guard append(&scan, of: text, depth: 0, to: &bytes) else { return false }
        scan.skipSpace()
        return scan.position == text.count
    }

    private static func append(
        _ scan: inout JSONScan, of text: UnsafeRawBufferPointer, depth: Int, to bytes: inout [UInt8]
    ) -> Bool {
        guard depth < deepest else { return false }
        if scan.take(0x7B) { return appendObject(&scan, of: text, depth: depth, to: &bytes) }
        if scan.take(0x5B) { return appendArray(&scan, of: text, depth: depth, to: &bytes) }
        guard let value = scan.takeValue() else { return false }
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[value]))
        return true
    }

    private static func appendArray(
        _ scan: inout JSONScan, of text: UnsafeRawBufferPointer, depth: Int, to bytes: inout [UInt8]
    ) -> Bool {
        bytes.append(0x5B)
        if !scan.take(0x5D) {
            while true {
                guard append(&scan, of: text, depth: depth + 1, to: &bytes) else { return false }
                if scan.take(0x5D) { break }
                guard scan.take(.comma) else { return false }
                bytes.append(.comma)
            }
        }
        bytes.append(0x5D)
        return true
    }

    private static func appendObject(
        _ scan: inout JSONScan, of text: UnsafeRawBufferPointer, depth: Int, to bytes: inout [UInt8]
    ) -> Bool {
        let start = bytes.count
        bytes.append(0x7B)
        if scan.take(0x7D) {
            bytes.append(0x7D)
            return true
        }
        // Of the outermost, each with the bytes that were written for it.
        var members: [(key: UnsafeRawBufferPointer, written: Range<Int>)] = []
        var (isSorted, hasEscapes) = (true, false)
        while true {
            scan.skipSpace()
            let first = bytes.count
            guard let range = scan.takeString(), scan.take(.colon) else { return false }
            let key = UnsafeRawBufferPointer(rebasing: text[range])
            bytes.append(contentsOf: key)
            bytes.append(.colon)
            guard append(&scan, of: text, depth: depth + 1, to: &bytes) else { return false }
            if depth == 0 {
                if key.firstOffset(of: .backslash, in: 0..<key.count) != nil { hasEscapes = true }
                if let last = members.last, precedes(key, last.key) { isSorted = false }
                members.append((key, first..<bytes.count))
            }
            bytes.append(.comma)
            if scan.take(0x7D) { break }
            guard scan.take(.comma) else { return false }
        }
        if !isSorted, !hasEscapes { sort(members, in: &bytes, from: start + 1) }
        bytes[bytes.count - 1] = 0x7D
        return true
    }

    private static func sort(
        _ members: [(key: UnsafeRawBufferPointer, written: Range<Int>)], in bytes: inout [UInt8], from start: Int
    ) {
        let unsorted = Array(bytes[start...])
        let places = members.indices.sorted { left, right in
            precedes(members[left].key, members[right].key)
                || left < right && !precedes(members[right].key, members[left].key)
        }
        bytes.removeSubrange(start...)
        for place in places {
            let written = members[place].written
            bytes.append(contentsOf: unsorted[written.lowerBound - start...written.upperBound - start])
        }
    }

    private static func precedes(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        one.lexicographicallyPrecedes(other)
    }
}
