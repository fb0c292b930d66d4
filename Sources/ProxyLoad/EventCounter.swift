/// Counts the events of an event stream as its bytes pass: each empty line after a line that is not ends one
/// (HTML Standard, section 9.2.6). Works alike however the bytes are cut.
struct EventCounter {
    private var lineIsEmpty = true
    private var hasLine = false
    private var previousWasReturn = false

    /// - Returns: how many events ended within `bytes`.
    mutating func count(_ bytes: UnsafeRawBufferPointer) -> Int {
        var ended = 0
        for byte in bytes {
            // CR LF ends one line, not two.
            let isSecondHalf = byte == 0x0A && previousWasReturn
            previousWasReturn = byte == 0x0D
            if isSecondHalf { continue }
            guard byte == 0x0A || byte == 0x0D else {
                lineIsEmpty = false
                continue
            }
            if !lineIsEmpty {
                hasLine = true
            } else if hasLine {
                ended += 1
                hasLine = false
            }
            lineIsEmpty = true
        }
        return ended
    }
}
