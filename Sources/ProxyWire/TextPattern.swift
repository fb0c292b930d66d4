/// A text in which each `*` stands for any text, the empty one included. Compares bytes.
public struct TextPattern: Hashable, Sendable {
    private let bytes: [UInt8]

    public init(_ text: String) { bytes = Array(text.utf8) }

    /// Whether all of `text` is what the pattern says. Goes back to the last `*` alone, so its time is bounded by their product.
    public func matches(_ text: String) -> Bool { matches(Array(text.utf8)) }

    private func matches(_ text: [UInt8]) -> Bool {
        var (position, place) = (0, 0)
        var star: (place: Int, position: Int)?
        while position < text.count {
            if place < bytes.count, bytes[place] == UInt8(ascii: "*") {
                star = (place, position)
                place += 1
            } else if place < bytes.count, bytes[place] == text[position] {
                place += 1
                position += 1
            } else if let last = star {
                star = (last.place, last.position + 1)
                (place, position) = (last.place + 1, last.position + 1)
            } else {
                return false
            }
        }
        return bytes[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
