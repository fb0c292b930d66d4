import Testing

@testable import ProxyLoad

/// The pure parts of the load generator.
@Suite("The schedule")
struct ScheduleTests {
    @Test(arguments: [
        (100.0, 1, 0, 0.0), (100.0, 1, 1, 10.0), (100.0, 1, 250, 2500.0), (1000.0, 2, 3, 1.5), (3.0, 1, 1, 333.333333),
        (0.5, 1, 2, 4000.0),
    ])
    func isAFunctionOfTheNumber(rate: Double, sides: Int, number: Int, milliseconds: Double) {
        let due = Schedule(ratePerSide: rate, sides: sides).due(number)
        #expect(abs(due.milliseconds - milliseconds) < 1e-5)
    }

    @Test(arguments: [(100.0, 1, 1.0, 100), (100.0, 2, 1.0, 200), (3.0, 1, 1.0, 3), (3.0, 1, 1.1, 4), (1.0, 1, 0.0, 0)])
    func knowsHowManyAreDueBeforeTheEnd(rate: Double, sides: Int, seconds: Double, count: Int) {
        #expect(Schedule(ratePerSide: rate, sides: sides).count(in: .seconds(seconds)) == count)
    }

    @Test func letsTwoSidesTakeTurnsSoThatNeitherAlwaysGoesFirst() {
        let schedule = Schedule(ratePerSide: 1, sides: 2)
        #expect((0..<8).map(schedule.side) == [0, 1, 1, 0, 0, 1, 1, 0])
        #expect((0..<4).map(Schedule(ratePerSide: 1).side) == [0, 0, 0, 0])
    }

    @Test(arguments: [
        "https://x", "ftp://x", "x", "http://", "http://u:p@x", "http://x:0", "http://x:y", "http://x/a b",
        "http://[::1",
    ])
    func refusesWhatIsNoPlainURL(url: String) {
        #expect(throws: LoadError.self) { try LoadTarget(url: url) }
    }

    @Test func readsAURLAndHidesItsQuery() throws {
        let target = try LoadTarget(url: "http://127.0.0.1:8080/v1/models?key=secret")
        #expect(target.host == "127.0.0.1" && target.port == 8080 && target.path == "/v1/models?key=secret")
        #expect(target.displayed == "http://127.0.0.1:8080/v1/models")
    }

    @Test(arguments: ["Content-Length: 5", "Connection: close", "no colon sk-secret", "Bad Name: x", "X: a\r\nY: b"])
    func refusesHeadersThatWouldBreakTheFraming(header: String) throws {
        let error = try #require(throws: LoadError.self) { try LoadRequest(method: "GET", headers: [header]) }
        #expect(!error.description.contains("secret"))
    }
}
