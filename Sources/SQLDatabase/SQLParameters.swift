import Glibc

/// Values for the parameters of a statement, or of many runs of one: reused, so that a value costs no allocation.
///
/// Texts lie one after another in memory of its own, each followed by a zero byte (libpq wants one).
public struct SQLParameters: ~Copyable {
    /// One value. A text is named by its place in the bytes at ``base``.
    public enum Slot: Sendable, BitwiseCopyable {
        case null
        case integer(Int64)
        case text(offset: Int32, count: Int32)
    }

    /// Not an array: that would ask with each value whether it is shared.
    private var values: UnsafeMutableBufferPointer<Slot>
    /// How many values there are.
    public private(set) var count = 0
    private var arena: UnsafeMutableRawBufferPointer
    private var used = 0

    public init() {
        values = .allocate(capacity: 64)
        arena = .allocate(byteCount: 1024, alignment: 16)
    }

    public init(_ values: [SQLValue]) {
        self.init()
        for value in values { append(value) }
    }

    deinit {
        values.deallocate()
        arena.deallocate()
    }

    /// All values. Valid until the next change.
    public var slots: UnsafeBufferPointer<Slot> { UnsafeBufferPointer(rebasing: values[..<count]) }

    /// Where texts begin. Valid until the next change.
    public var base: UnsafeRawPointer? { UnsafeRawPointer(arena.baseAddress) }

    /// Forgets all values and keeps the memory.
    public mutating func removeAll() {
        count = 0
        used = 0
    }

    public mutating func append(_ value: SQLValue) {
        switch value {
        case .null: appendNull()
        case .integer(let number): append(number)
        case .text(let text): append(text)
        }
    }

    public mutating func appendNull() { append(Slot.null) }

    /// Adds so many times NULL.
    public mutating func appendNulls(_ number: Int) { for _ in 0..<number { appendNull() } }

    public mutating func append(_ number: Int64) { append(Slot.integer(number)) }

    public mutating func append(_ number: Int64?) {
        if let number { append(number) } else { appendNull() }
    }

    public mutating func append(_ text: String) {
        Self.read(text) { bytes in appendText(count: bytes.count) { $0.copyMemory(from: bytes) } }
    }

    /// A native text is read where it is, without taking it for a moment.
    private static func read(_ text: String, _ body: (UnsafeRawBufferPointer) -> Void) {
        if text.utf8.withContiguousStorageIfAvailable({ body(UnsafeRawBufferPointer($0)) }) != nil { return }
        var copy = text
        copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    public mutating func append(_ text: String?) {
        if let text { append(text) } else { appendNull() }
    }

    /// Adds a text of `count` UTF-8 bytes, written by `fill` straight into place.
    public mutating func appendText(count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let start = used
        reserve(count + 1)
        fill(UnsafeMutableRawBufferPointer(rebasing: arena[start..<start + count]))
        arena[start + count] = 0
        used = start + count + 1
        append(Slot.text(offset: Int32(start), count: Int32(count)))
    }

    /// Adds a text to rows of `width` values: when the row before has the same one there, that once more, without copying it.
    public mutating func append(_ text: String, repeatingIn width: Int) {
        let above = count - width
        Self.read(text) { bytes in
            if above >= 0, holds(bytes, at: above) { return append(sharing: above) }
            appendText(count: bytes.count) { $0.copyMemory(from: bytes) }
        }
    }

    private func holds(_ text: UnsafeRawBufferPointer, at index: Int) -> Bool {
        guard case .text(let offset, let count) = slots[index], Int(count) == text.count else { return false }
        guard let base, let start = text.baseAddress else { return text.isEmpty }
        return memcmp(base + Int(offset), start, text.count) == 0
    }

    /// Adds the value at `index` once more, without copying its text.
    public mutating func append(sharing index: Int) { append(slots[index]) }

    /// Adds all values of `other`.
    public mutating func append(contentsOf other: borrowing SQLParameters) {
        for slot in other.slots {
            switch slot {
            case .null: appendNull()
            case .integer(let number): append(number)
            case .text(let offset, let count):
                appendText(count: Int(count)) { place in
                    if let base = other.base {
                        place.copyMemory(from: .init(start: base + Int(offset), count: Int(count)))
                    }
                }
            }
        }
    }

    /// The text at `index`, for tests and messages; `nil` for anything else.
    public func text(at index: Int) -> String? {
        guard case .text(let offset, let count) = slots[index] else { return nil }
        let bytes = arena[Int(offset)..<Int(offset) + Int(count)]
        return String(decoding: UnsafeRawBufferPointer(rebasing: bytes), as: UTF8.self)
    }

    private mutating func append(_ slot: Slot) {
        if count == values.count { growValues() }
        values.initializeElement(at: count, to: slot)
        count += 1
    }

    private mutating func growValues() {
        let grown = UnsafeMutableBufferPointer<Slot>.allocate(capacity: values.count * 2)
        _ = grown.moveInitialize(fromContentsOf: values)
        values.deallocate()
        values = grown
    }

    private mutating func reserve(_ more: Int) {
        guard used + more > arena.count else { return }
        let grown = UnsafeMutableRawBufferPointer.allocate(byteCount: max(arena.count * 2, used + more), alignment: 16)
        grown.copyMemory(from: UnsafeRawBufferPointer(rebasing: arena[0..<used]))
        arena.deallocate()
        arena = grown
    }
}
