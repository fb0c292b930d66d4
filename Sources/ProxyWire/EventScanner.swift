/// Finds where the events of an event stream end as its bytes pass: each empty line after a line that is not ends one
/// (HTML Standard, section 9.2.6). Works alike however the bytes are cut.
public struct EventScanner: Sendable {
    private var lineIsEmpty = true
    private var hasLine = false
    private var previousWasReturn = false

    public init() {}

    /// The offset after the first event that ends in `bytes` from `start` on; `nil` when none does.
    ///
    /// After an event that ended with CR LF and CR, the LF that belongs to the CR is yet to come.
    public mutating func nextEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var position = start
        while let lineFeed = bytes.firstOffset(of: .lineFeed, in: position..<bytes.count) {
            if let end = lineEnded(bytes, position, lineFeed) { return end }
            position = lineFeed + 1
        }
        return readSlowly(bytes, position..<bytes.count)
    }

    /// - Returns: how many events ended within `bytes`.
    public mutating func count(_ bytes: UnsafeRawBufferPointer) -> Int {
        var ended = 0
        var position = 0
        while let end = nextEnd(in: bytes, from: position) {
            ended += 1
            position = end
        }
        return ended
    }

    /// Reads a line and its LF. Most are long and end plainly, so they are not looked at byte for byte.
    private mutating func lineEnded(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ lineFeed: Int) -> Int? {
        let carriageReturn = bytes.firstOffset(of: .carriageReturn, in: start..<lineFeed) ?? lineFeed
        guard carriageReturn > start, carriageReturn >= lineFeed - 1 else {
            return readSlowly(bytes, start..<lineFeed + 1)
        }
        previousWasReturn = false
        hasLine = true
        lineIsEmpty = true
        return nil
    }

    private mutating func readSlowly(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        for position in range {
            let byte = bytes.byte(position)
            // CR LF ends one line, not two.
            let isSecondHalf = byte == .lineFeed && previousWasReturn
            previousWasReturn = byte == .carriageReturn
            if isSecondHalf { continue }
            guard byte == .lineFeed || byte == .carriageReturn else {
                lineIsEmpty = false
                continue
            }
            let endsEvent = lineIsEmpty && hasLine
            hasLine = !lineIsEmpty
            lineIsEmpty = true
            if endsEvent { return position + 1 }
        }
        return nil
    }
}
