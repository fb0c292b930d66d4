import ProxyDomain

/// Makes request identifiers without a system call for each. Confined to one event loop.
///
/// They are not secrets: SplitMix64 from a random seed keeps them apart between loops and processes.
struct RequestIdentifiers: RandomNumberGenerator {
    private var state: UInt64
    private var last = Timestamp(milliseconds: 0)
    /// How many there were of the last one's millisecond before it.
    private var counter: UInt64 = 0

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// Later than those before it, while the clock goes on and there are not more than 4,096 in a millisecond: so a batch of rows is put
    /// behind the last one, and not here and there between those of the same millisecond.
    mutating func next(at instant: Timestamp) -> RequestID {
        counter = instant == last ? counter + 1 : 0
        last = instant
        return RequestID(Identifier(at: instant, counter: counter, using: &self))
    }
}
