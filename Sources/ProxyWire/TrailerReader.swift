/// Reads the trailer section line by line (RFC 9112 section 7.1.2) and refuses fields that may not come so late.
struct TrailerReader {
    private var size = 0
    /// The part of a line that came in earlier reads. Stays empty when lines come whole.
    private var begun: [UInt8] = []

    mutating func reset() {
        size = 0
        begun.removeAll(keepingCapacity: true)
    }

    /// Reads at most one line from `position` on and moves it past that. Returns true after the empty line.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, from position: inout Int, limit: Int
    ) throws(WireFault) -> Bool {
        let start = position
        let lineFeed = bytes.firstOffset(of: .lineFeed, in: start..<bytes.count)
        position = lineFeed.map { $0 + 1 } ?? bytes.count
        size += position - start
        guard size <= limit else { throw .trailersTooLarge }
        if lineFeed != nil, begun.isEmpty { return try Self.check(start..<position, in: bytes) }
        begun.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
        guard lineFeed != nil else { return false }
        return try checkBegun()
    }

    private mutating func checkBegun() throws(WireFault) -> Bool {
        var outcome: Result<Bool, WireFault> = .success(false)
        begun.withUnsafeBytes { line in
            do throws(WireFault) {
                outcome = .success(try Self.check(0..<line.count, in: line))
            } catch {
                outcome = .failure(error)
            }
        }
        begun.removeAll(keepingCapacity: true)
        return try outcome.get()
    }

    /// Whether the line, which ends in LF, is the empty one.
    private static func check(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(WireFault) -> Bool {
        let end = line.upperBound - 2
        guard end >= line.lowerBound, bytes.byte(end) == .carriageReturn else { throw .bareLineFeed }
        if end == line.lowerBound { return true }
        let field = try FieldSyntax.line(line.lowerBound..<end, in: bytes)
        let isHarmless = harmless.contains(field.kind) && !isLateByName(field.nameRange, bytes)
        guard isHarmless else { throw .forbiddenTrailer }
        return false
    }

    private static let harmless = FieldKinds(.other, .date, .server, .requestID)

    /// Fields of kind `other` that RFC 9110 section 6.5.1 keeps out of trailers: who asks, for what, and what may be
    /// done with the answer must be known before the body.
    private static func isLateByName(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 5: bytes.isToken("range", at: name)
        case 6: bytes.isToken("cookie", at: name)
        case 8: bytes.isToken("location", at: name)
        case 10: bytes.isToken("set-cookie", at: name)
        case 12: bytes.isToken("max-forwards", at: name)
        case 13: bytes.isToken("cache-control", at: name) || bytes.isToken("content-range", at: name)
        case 16: bytes.isToken("www-authenticate", at: name)
        default: false
        }
    }
}
