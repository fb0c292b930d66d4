import NIOCore
import NIOPosix
import SQLDatabase
import Testing

@testable import ProxyServer

@Suite("The server's event loops")
struct EventLoopTests {
    @Test("go ahead of other threads, where the system lets them")
    func schedule() async throws {
        let lane = try Lane(name: "test") {}
        let isPossible = await withCheckedContinuation { told in
            lane.enqueue {
                ThreadSchedule.prompt.apply()
                told.resume(returning: ThreadSchedule.prompt.holds)
            }
        }
        let group = ProxyServer.eventLoops(2)
        for loop in group.makeIterator() {
            #expect(try await loop.submit { ThreadSchedule.prompt.holds }.get() == isPossible)
        }
        try await group.shutdownGracefully()
    }
}
