import Foundation
import ProxyFleet
import Testing

/// The database guide's claims that load can prove: that nothing is lost or miscounted. `LOAD_CLAIMS=short` and `long` also judge speed.
@Suite("The claims", .serialized, .timeLimit(.minutes(60)))
struct ClaimTests {
    private static let form: ClaimBench.Form =
        switch ProcessInfo.processInfo.environment["LOAD_CLAIMS"] {
        case "long": .long
        case "short": .short
        default: .correctness
        }

    @Test(arguments: ["G10", "G11", "G12", "G13", "G18"])
    func hold(claim: String) async throws {
        let check = try #require(ClaimCheck.all.first { $0.claim == claim })
        let result = try await check.run(
            ClaimBench(program: FleetTests.program, form: Self.form, report: { _ in }))
        #expect(result.holds, "\(result.lines.joined(separator: "\n"))")
    }

    @Test func areAllThatTheProgramRuns() {
        #expect(ClaimCheck.all.map(\.claim) == ["G10", "G11", "G12", "G13", "G18"])
    }
}
