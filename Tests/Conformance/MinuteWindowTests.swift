import ProxyConformance
import ProxyDomain
import Testing

@Suite("A window of a minute")
struct MinuteWindowTests {
    private static let noon = Timestamp(milliseconds: 1_795_435_200_000)

    /// Against a list of all instants: never more than the limit in any 60 seconds, and no refusal a second after room is there.
    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func neverGrantsMoreThanItsLimit(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let limit = Int64.random(in: 1...20, using: &random)
        var window = MinuteWindow()
        var now = Self.noon
        var granted: [Timestamp] = []
        for _ in 0..<500 {
            now = now + .milliseconds(Int64.random(in: 0...9_000, using: &random))
            let asked = Int64.random(in: 1...6, using: &random)
            let free = limit - Int64(granted.count { now - $0 < .seconds(61) })
            let count = min(asked, max(0, limit - window.used(at: now)))
            window.add(count, at: now)
            #expect(count >= min(asked, max(0, free)), "room for \(free) was refused")
            for _ in 0..<count { granted.append(now) }
            #expect(granted.count { now - $0 < .seconds(60) } <= limit)
            let again = try #require(MinuteWindow(text: window.text))
            #expect(again == window)
            if window.used(at: now) >= limit {
                let seconds = try #require(window.secondsUntilFree(limit: limit, at: now))
                #expect(window.used(at: now + .seconds(seconds)) < limit)
                #expect(seconds == 1 || window.used(at: now + .seconds(seconds - 1)) == limit)
                let free = try #require(window.instantFree(limit: limit, at: now))
                #expect(window.used(at: free) < limit && window.used(at: free + .milliseconds(-1)) == limit)
            } else {
                #expect(window.instantFree(limit: limit, at: now) == nil)
            }
        }
    }

    /// Its body took minutes to come.
    @Test func whatCameLongAgoTakesNothingAwayAndCountsFromItsGrantOn() {
        var window = MinuteWindow()
        window.add(90, at: Self.noon + .seconds(-5))
        window.add(10, cameAt: Self.noon + .seconds(-130), at: Self.noon)
        #expect(window.used(at: Self.noon) == 100)
        #expect(window.used(at: Self.noon + .seconds(56)) == 10)
        #expect(window.used(at: Self.noon + .seconds(61)) == 0)
        window.add(7, cameAt: Self.noon + .seconds(50), at: Self.noon + .seconds(62))
        #expect(window.used(at: Self.noon + .seconds(110)) == 7 && window.used(at: Self.noon + .seconds(111)) == 0)
    }

    @Test("stays small", arguments: [1, 1_000_000_000] as [Int64])
    func size(count: Int64) {
        var window = MinuteWindow()
        for second in 0..<1000 { window.add(count, at: Self.noon + .seconds(Int64(second))) }
        #expect(window.used(at: Self.noon + .seconds(999)) == 61 * count)
        #expect(window.text.utf8.count < 900)
    }

    @Test(
        "is not read from what is none",
        arguments: [
            "x", "1", "1:", ":1", "1:0", "1:-1", "-1:1", "5:1,0:1", "1:1:1", "9223372036854775807:1,1:1",
            "9223372036854775808:1",
            "1:1,", ",1:1", "1:1,,1:1", "+1:1", "1:1 ", "1:99999999999999999999",
        ])
    func damage(text: String) { #expect(MinuteWindow(text: text) == nil) }

    @Test func anEmptyOneIsEmptyText() {
        #expect(MinuteWindow(text: "") == MinuteWindow() && MinuteWindow().text == "")
    }
}
