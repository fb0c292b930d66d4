import Foundation
import ProxyConformance
import Testing

/// Random histories, on a storage and in a model that needs no database: both must tell the same.
///
/// `SEED` repeats one run; `HISTORIES` says how many histories there are, of which one in eight is on a file.
@Suite("Histories", .timeLimit(.minutes(10)))
struct HistoryTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["SEED"].flatMap { UInt64($0) } ?? .random(in: 0..<1 << 32)
    private static let total = environment["HISTORIES"].flatMap { Int($0) } ?? 2_400

    @Test("end as the model says", arguments: Engine.allCases)
    func agree(_ engine: Engine) async {
        let count = engine == .sqliteFile ? Self.total / 8 : Self.total - Self.total / 8
        print("\(count) histories on \(engine.rawValue); SEED=\(Self.seed) repeats them")
        for number in 0..<UInt64(count) {
            let history = History(seed: Self.seed &+ number &* 0x9E37_79B9)
            guard await history.divergence(on: engine) != nil else { continue }
            let smallest = await history.shrunk(on: engine)
            let divergence = await smallest.divergence(on: engine)
            Issue.record(
                """
                history \(number) of SEED=\(Self.seed) on \(engine.rawValue) parts from the model
                \(smallest)
                at step \(divergence?.step ?? 0): \(divergence?.description ?? "not every time")
                """)
            return
        }
    }

    /// The check itself can fail, and what it shows is small.
    @Test func noticeAStorageThatForgets() async {
        let history = History(seed: 7)
        #expect(await history.divergence(on: ForgetfulBackend()) != nil)
        let smallest = await history.shrunk(on: ForgetfulBackend())
        #expect(smallest.count == 1, "\(smallest)")
    }

    @Test func areTheSameForTheSameSeed() {
        #expect(History(seed: 5).description == History(seed: 5).description)
        #expect(History(seed: 5).description != History(seed: 6).description)
    }
}
