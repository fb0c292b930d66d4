import Glibc

/// What is sent: several requests in shares, under several tokens.
///
/// Which request and which token it is, only the number of the request decides: two sides that are compared get the same.
public struct LoadMix: Hashable, Sendable {
    /// One request with its share.
    public struct Part: Hashable, Sendable {
        public let request: LoadRequest
        /// Above 0; shares are relative to each other.
        public let share: Double

        public init(_ request: LoadRequest, share: Double = 1) {
            self.request = request
            self.share = share
        }
    }

    public let parts: [Part]
    /// Sent as `Authorization: Bearer`, unless there are none; shown nowhere.
    let tokens: [String]
    private let partTable: ShareTable
    private let tokenTable: ShareTable

    /// - Parameters:
    ///   - parts: at least one.
    ///   - skew: how unevenly tokens are used. Token number n gets a share of 1/n^skew (Zipf): 0 is the same for all, 1 is what
    ///     customers of most services do.
    /// - Throws: ``LoadError/refusedHeader(_:)`` when a token holds what no header may.
    public init(_ parts: [Part], tokens: [String] = [], skew: Double = 0) throws(LoadError) {
        for token in tokens where !LoadRequest.isPlain(token) { throw .refusedHeader("Authorization") }
        self.parts = parts
        self.tokens = tokens
        partTable = ShareTable(parts.map(\.share))
        tokenTable = ShareTable(zipf: tokens.count, skew: skew)
    }

    /// Which part and which token request `number` takes; the token is `nil` when there are none.
    func choice(_ number: Int) -> (part: Int, token: Int?) {
        var random = SplitMix64(UInt64(truncatingIfNeeded: number))
        let part = partTable.place(of: random.uniform())
        return (part, tokens.isEmpty ? nil : tokenTable.place(of: random.uniform()))
    }

    /// The bytes of request `number`.
    func bytes(of choice: (part: Int, token: Int?), to target: LoadTarget) -> [UInt8] {
        parts[choice.part].request.bytes(to: target, token: choice.token.map { tokens[$0] })
    }
}

/// Where a number between 0 and 1 falls among shares.
private struct ShareTable: Hashable, Sendable {
    /// Sums of the shares up to and with each.
    private let sums: [Double]

    init(_ shares: [Double]) {
        var sum = 0.0
        sums = shares.map {
            sum += $0
            return sum
        }
    }

    init(zipf count: Int, skew: Double) {
        self.init((0..<count).map { 1 / pow(Double($0 + 1), skew) })
    }

    func place(of share: Double) -> Int {
        guard let total = sums.last else { return 0 }
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > share * total { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
