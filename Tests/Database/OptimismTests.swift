import Testing

@testable import SQLStorage

@Suite("Optimism of the ledger's writer")
struct OptimismTests {
    @Test func doubtsLongerAfterEachDisappointmentAndTrustsAgain() {
        var optimism = Optimism()
        /// For how many batches it doubts.
        func doubts() -> Int {
            var count = 0
            while !optimism.isJustified() { count += 1 }
            return count
        }
        var found: [Int] = []
        for _ in 0..<9 {
            optimism.note(wasRight: false)
            found.append(doubts())
        }
        #expect(found == [1, 2, 4, 8, 16, 32, 64, 64, 64])
        optimism.note(wasRight: true)
        let none = doubts()
        optimism.note(wasRight: false)
        let one = doubts()
        #expect((none, one) == (0, 1))
    }
}
