import Crypto
import SQLDatabase

/// What a table holds, whatever the order of its rows: how many there are, and the sum of their hashes.
public struct TableChecksum: Hashable, Sendable {
    public private(set) var rows: Int64 = 0
    private var sum: (UInt64, UInt64) = (0, 0)
    private var bytes: [UInt8] = []

    public init() {}

    /// The sum as 32 hexadecimal digits.
    public var text: String { Self.digits(sum.0) + Self.digits(sum.1) }

    /// Adds a row by the first half of its SHA-256, each value with its kind and length: no two rows look alike.
    mutating func add(_ row: Slice<UnsafeBufferPointer<SQLParameters.Slot>>, textsAt base: UnsafeRawPointer?) {
        bytes.removeAll(keepingCapacity: true)
        for slot in row {
            switch slot {
            case .null: bytes.append(0)
            case .integer(let number):
                bytes.append(1)
                append(UInt64(bitPattern: number))
            case .text(let offset, let count):
                bytes.append(2)
                append(UInt64(count))
                bytes.append(
                    contentsOf: UnsafeRawBufferPointer(start: base.map { $0 + Int(offset) }, count: Int(count)))
            }
        }
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        hash.finalize().withUnsafeBytes { hash in
            sum.0 &+= hash.loadUnaligned(fromByteOffset: 0, as: UInt64.self).bigEndian
            sum.1 &+= hash.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
        }
        rows += 1
    }

    private mutating func append(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func digits(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    public static func == (one: Self, other: Self) -> Bool { one.rows == other.rows && one.sum == other.sum }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(rows)
        hasher.combine(sum.0)
    }
}
