final class Simulator: Sendable {
    static func start() async throws -> Simulator { throw TestFailure("the simulator is not built yet") }
    var port: Int { 9 }
    func stop() async throws {}
}
