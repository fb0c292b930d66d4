import ProxyBlackBox
import Foundation
import ProxyConformance
import Testing

/// Random histories, on every engine at once and in a model that needs no database: all must tell the same.
///
/// `SEED` repeats one run; `HISTORIES` says how many histories there are.
@Suite("Histories", .timeLimit(.minutes(600)))
struct HistoryTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["SEED"].flatMap { UInt64($0) } ?? .random(in: 0..<1 << 32)
    private static let total = environment["HISTORIES"].flatMap { Int($0) } ?? 2_000

    @Test("end as the model says, on every engine")
    func agree() async {
        print("\(Self.total) histories on every engine; SEED=\(Self.seed) repeats them")
        let next = Shared(0)
        await withTaskGroup { group in
            for _ in 0..<Self.atOnce {
                group.addTask {
                    while true {
                        let number = next.change { number in
                            defer { number += 1 }
                            return number
                        }
                        guard number < Self.total, await Self.check(number) else { return }
                    }
                }
            }
        }
    }

    /// Most of a history is spent waiting for disks and servers.
    private static let atOnce = 4

    /// - Returns: whether to go on.
    private static func check(_ number: Int) async -> Bool {
        let history = History(seed: seed &+ UInt64(number) &* 0x9E37_79B9)
        guard let engine = await engineThatDiverges(history) else { return true }
        let smallest = await history.shrunk(on: engine)
        let divergence = await smallest.divergence(on: engine)
        Issue.record(
            """
            history \(number) of SEED=\(seed) on \(engine.rawValue) parts from the model
            \(smallest)
            at step \(divergence?.step ?? 0): \(divergence?.description ?? "not every time")
            """)
        return false
    }

    /// Runs a history on all engines at once. The model says what each answer must be, so that engines which agree with
    /// it agree with each other.
    private static func engineThatDiverges(_ history: History) async -> Engine? {
        await withTaskGroup(of: Engine?.self) { group in
            for engine in Engine.allCases {
                group.addTask { await history.divergence(on: engine) == nil ? nil : engine }
            }
            return await group.compactMap { $0 }.first { _ in true }
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
