/// Finds usage objects and the model in a part of a body that may begin and end anywhere.
///
/// A quoted name followed by a colon can't be inside a JSON string, where its quotes would be escaped: so names are
/// searched as bytes, without reading what is before them.
struct UsageSearch {
    let bytes: UnsafeRawBufferPointer
    /// Whether the body is one JSON document, which may have line feeds; otherwise each event is on a line.
    let isDocument: Bool

    /// The counts of the last usage object, or of one further out in the same document or event.
    func last() -> TokenCounts? {
        var best: (counts: TokenCounts, depth: Int, start: Int)?
        var end = bytes.count
        while let start = lastKey("\"usage\"", before: end) {
            end = start
            if let best, !isDocument, bytes.firstOffset(of: .lineFeed, in: start..<best.start) != nil { break }
            guard let (counts, objectEnd) = counts(after: start + 7) else { continue }
            let depth = depth(at: objectEnd)
            if depth <= 1 { return counts }
            if best.map({ depth < $0.depth }) ?? true { best = (counts, depth, start) }
        }
        return best?.counts
    }

    /// The prompt's tokens in the first usage object that has them, even if the object breaks off later.
    func firstPrompt() -> Int64? {
        var start = 0
        while let key = firstKey("\"usage\"", from: start) {
            start = key + 7
            if let object = objectStart(after: start),
                let prompt = TokenCounts.read(at: object, in: bytes).counts.prompt
            {
                return prompt
            }
        }
        return nil
    }

    func model() -> String? {
        var start = 0
        while let key = firstKey("\"model\"", from: start) {
            start = key + 7
            var scan = JSONScan(bytes, from: start)
            guard scan.take(.colon) else { continue }
            scan.skipSpace()
            guard let value = scan.takeString() else { continue }
            if let model = JSONScan.string(at: value, in: bytes) { return model }
        }
        return nil
    }
}

extension UsageSearch {
    private func counts(after start: Int) -> (TokenCounts, end: Int)? {
        guard let object = objectStart(after: start) else { return nil }
        let read = TokenCounts.read(at: object, in: bytes)
        guard let end = read.end, !read.counts.isEmpty else { return nil }
        return (read.counts, end)
    }

    private func objectStart(after start: Int) -> Int? {
        var scan = JSONScan(bytes, from: start)
        guard scan.take(.colon) else { return nil }
        scan.skipSpace()
        return scan.position < bytes.count && bytes.byte(scan.position) == 0x7B ? scan.position : nil
    }

    /// How many objects and arrays are closed from `start` to the end of the document or event: how deep it is in them.
    private func depth(at start: Int) -> Int {
        var depth = 0
        var isInString = false
        var position = start
        while position < bytes.count {
            let byte = bytes.byte(position)
            if byte == .lineFeed && !isDocument { break }
            if isInString {
                if byte == .backslash { position += 1 } else if byte == .quote { isInString = false }
            } else {
                switch byte {
                case .quote: isInString = true
                case 0x7B, 0x5B: depth -= 1
                case 0x7D, 0x5D: depth += 1
                default: break
                }
            }
            position += 1
        }
        return depth
    }

    private func lastKey(_ key: StaticString, before end: Int) -> Int? {
        let length = key.utf8CodeUnitCount
        var start = end - length
        while start >= 0 {
            if bytes.byte(start) == .quote, bytes.isExactly(key, at: start..<start + length) { return start }
            start -= 1
        }
        return nil
    }

    private func firstKey(_ key: StaticString, from start: Int) -> Int? {
        let length = key.utf8CodeUnitCount
        var start = start
        while start + length <= bytes.count {
            guard let quote = bytes.firstOffset(of: .quote, in: start..<bytes.count), quote + length <= bytes.count
            else { return nil }
            if bytes.isExactly(key, at: quote..<quote + length) { return quote }
            start = quote + 1
        }
        return nil
    }
}
