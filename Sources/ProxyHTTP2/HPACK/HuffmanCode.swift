/// The Huffman code of RFC 7541 appendix B, as tables to read it with.
///
/// The code is canonical: codes of one length are consecutive numbers in the order of their symbols, and a longer code
/// is a larger number. So the lengths alone tell all of it.
struct HuffmanCode: Sendable {
    static let shared = HuffmanCode()

    /// A symbol, 256 being EOS, and the bits of its code.
    struct Symbol {
        let symbol: Int
        let length: Int
    }

    /// All codes of one length.
    private struct Row {
        let length: Int
        /// The first code, moved to the high end of 32 bits.
        let first: UInt32
        /// The last code with ones behind it: the highest 32 bits that begin with a code of this length.
        let last: UInt32
        /// Where the first code's symbol is in `symbols`.
        let index: Int
    }

    /// For each byte: the symbol whose code it begins with and, above it, the code's length. 0 where a code is longer
    /// than 8 bits.
    let short: [UInt16]
    private let rows: [Row]
    /// All symbols in the order of their codes.
    private let symbols: [Int]

    private init() {
        symbols = Self.lengths.indices.sorted { (Self.lengths[$0], $0) < (Self.lengths[$1], $1) }
        var short = [UInt16](repeating: 0, count: 256)
        var rows: [Row] = []
        var code: UInt64 = 0
        var index = 0
        for length in 5...30 {
            let count = Self.lengths.count { $0 == length }
            let unit = UInt64(1) << UInt64(32 - length)
            let after = code + UInt64(count) * unit
            if length <= 8 {
                for byte in Int(code >> 24)..<Int(after >> 24) {
                    let symbol = symbols[index + (byte - Int(code >> 24)) >> (8 - length)]
                    short[byte] = UInt16(length << 8 | symbol)
                }
            } else if count > 0 {
                rows.append(Row(length: length, first: UInt32(code), last: UInt32(after - 1), index: index))
            }
            code = after
            index += count
        }
        self.short = short
        self.rows = rows
    }

    /// The symbol whose code, of more than 8 bits, these 32 bits begin with.
    func long(_ bits: UInt32) -> Symbol {
        var row = 0
        // The last row ends with 32 ones, so this ends.
        while bits > rows[row].last { row += 1 }
        let found = rows[row]
        let symbol = symbols[found.index + Int((bits - found.first) >> UInt32(32 - found.length))]
        return Symbol(symbol: symbol, length: found.length)
    }

    /// The length in bits of each symbol's code, EOS being the last.
    private static let lengths: [UInt8] = [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
        28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6,
        6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6,
        6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22,
        20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23,
        22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22,
        23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22,
        25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
    ]
}
