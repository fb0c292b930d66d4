/// Finds a head's lines one after the other. Remembers how far it looked, so bytes that dribble in cost once each.
struct LineFinder {
    /// Where the line that isn't complete yet begins.
    private(set) var lineStart = 0
    /// No LF is between `lineStart` and here.
    private var searched = 0

    /// The next line without its CRLF, or `nil` when more bytes are needed.
    /// - Throws: `headTooLarge` when it doesn't end within `limit` bytes, `bareLineFeed` when its LF has no CR.
    mutating func next(in bytes: UnsafeRawBufferPointer, limit: Int) throws(WireFault) -> Range<Int>? {
        let window = min(bytes.count, limit)
        guard searched < window, let found = bytes.firstOffset(of: .lineFeed, in: searched..<window) else {
            guard bytes.count < limit else { throw .headTooLarge }
            searched = max(searched, window)
            return nil
        }
        guard found > lineStart, bytes.byte(found - 1) == .carriageReturn else { throw .bareLineFeed }
        let line = lineStart..<found - 1
        lineStart = found + 1
        searched = lineStart
        return line
    }
}
