import Foundation
package import ProxyWire

/// Text as bytes, one per scalar below 256, so that a test can write any byte as `\u{..}`.
package func octets(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8($0.value) }
}

package func text(_ bytes: some Sequence<UInt8>) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}

/// SplitMix64: the same numbers for the same seed on every machine.
package struct SeededRandom: RandomNumberGenerator {
    package var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Where the random tests start: `WIRE_SEED` repeats a run, else each run is another one.
package func runSeed() -> UInt64 {
    ProcessInfo.processInfo.environment["WIRE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
}

/// How many rounds a random test takes: `count`, times `WIRE_TIMES` for a long run by hand.
package func rounds(_ count: Int) -> Range<Int> {
    0..<count * (ProcessInfo.processInfo.environment["WIRE_TIMES"].flatMap { Int($0) } ?? 1)
}

/// Memory whose last byte is followed by a page that nobody may read: reading past the end kills the test.
package final class GuardedBytes {
    private let base: UnsafeMutableRawPointer
    private let size: Int
    private let page = 4096

    package init(capacity: Int) {
        size = (capacity + page - 1) / page * page
        base = mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(base != MAP_FAILED && mprotect(base + size, page, PROT_NONE) == 0)
    }

    deinit { munmap(base, size + page) }

    /// Gives `bytes` at the very end of the memory.
    package func with<Result, Failure: Error>(
        _ bytes: ArraySlice<UInt8>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let end = UnsafeMutableRawBufferPointer(start: base + (size - bytes.count), count: bytes.count)
        end.copyBytes(from: bytes)
        return try body(UnsafeRawBufferPointer(end))
    }
}

extension Array {
    /// The pieces between `cuts`, which are offsets in rising order.
    package func pieces(at cuts: [Int]) -> [ArraySlice<Element>] {
        zip([0] + cuts, cuts + [count]).map { self[$0..<$1] }
    }
}

extension ArraySlice<UInt8> {
    /// `withUnsafeBytes` that keeps the type of the error.
    package func seen<Result>(_ body: (UnsafeRawBufferPointer) throws(WireFault) -> Result) throws(WireFault) -> Result
    {
        try withUnsafeBytes { bytes in
            do throws(WireFault) {
                return Swift.Result<Result, WireFault>.success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }.get()
    }
}
