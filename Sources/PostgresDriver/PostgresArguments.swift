import Glibc
import SQLDatabase

/// Parameters in the form libpq takes them: pointers to texts that end with a zero byte. Reused from call to call.
struct PostgresArguments {
    private(set) var values: [UnsafePointer<CChar>?] = []
    /// Digits of the numbers among the values, 24 bytes each.
    private var digits: UnsafeMutablePointer<CChar>
    private var capacity: Int
    private static let width = 24

    init() {
        capacity = 32
        digits = .allocate(capacity: capacity * Self.width)
    }

    func deallocate() { digits.deallocate() }

    /// Points at `count` of the parameters; valid until they change, or the next call.
    /// - Throws: for a text with a zero byte in it, which PostgreSQL can't keep.
    mutating func set(_ parameters: borrowing SQLParameters, first: Int, count: Int) throws(SQLError) {
        values.removeAll(keepingCapacity: true)
        if count > capacity {
            digits.deallocate()
            capacity = count
            digits = .allocate(capacity: capacity * Self.width)
        }
        for index in first..<first + count {
            switch parameters.slots[index] {
            case .null: values.append(nil)
            case .integer(let number): values.append(write(number, at: index - first))
            case .text(let offset, let count):
                guard let base = parameters.base else { continue }
                values.append((base + Int(offset)).assumingMemoryBound(to: CChar.self))
                try check(UnsafeRawBufferPointer(start: base + Int(offset), count: Int(count)))
            }
        }
    }

    private func check(_ text: UnsafeRawBufferPointer) throws(SQLError) {
        guard let start = text.baseAddress else { return }
        if memchr(start, 0, text.count) != nil {
            throw SQLError(.other, code: "22021", detail: "a text holds a zero byte")
        }
    }

    /// Writes from the end, so that no digits have to be turned round.
    private func write(_ number: Int64, at place: Int) -> UnsafePointer<CChar> {
        let start = digits + place * Self.width
        var next = start + Self.width - 1
        next.pointee = 0
        var rest = number.magnitude
        repeat {
            next -= 1
            next.pointee = CChar(rest % 10) + 48
            rest /= 10
        } while rest > 0
        if number < 0 {
            next -= 1
            next.pointee = 45
        }
        return UnsafePointer(next)
    }
}
