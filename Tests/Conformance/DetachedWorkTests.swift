import ProxyBlackBox
import Testing

@testable import ProxyServer

@Suite("Work that nobody waits for until the end", .timeLimit(.minutes(1)))
struct DetachedWorkTests {
    @Test func isFinishedOnceAllOfItHasEnded() async {
        let work = DetachedWork()
        await work.finish()
        let ended = Shared(0)
        for number in 1...8 {
            work.begin {
                try? await Task.sleep(for: .milliseconds(5 * number))
                ended.change { $0 += 1 }
            }
        }
        await work.finish()
        #expect(ended.value == 8)
        await work.finish()
    }

    @Test func waitsForWhatHasBegun() async throws {
        let work = DetachedWork()
        let isOver = Shared(false)
        let (gate, opener) = AsyncStream<Void>.makeStream()
        work.begin { for await _ in gate { break } }
        async let end: Void = {
            await work.finish()
            isOver.change { $0 = true }
        }()
        try await Task.sleep(for: .milliseconds(50))
        #expect(!isOver.value)
        opener.finish()
        await end
        #expect(isOver.value)
    }
}
