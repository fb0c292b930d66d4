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

    @Test(arguments: [
        // The warm-up's rate, then growing from 100 to 300 over 2 s: 400 requests, 150 of which in the first.
        ("100..300", 0, 0.0), ("100..300", 100, 1000.0), ("100..300", 250, 2000.0),
        ("100..300", 500, 3000.0), ("100..300", 800, 4000.0),
        // Four steps of half a second.
        ("100,200,300,400", 100, 1000.0), ("100,200,300,400", 150, 1500.0), ("100,200,300,400", 200, 1750.0),
        ("100,200,300,400", 400, 2500.0), ("100,200,300,400", 600, 3000.0),
    ])
    func followsTheRate(rate: String, number: Int, milliseconds: Double) throws {
        let plan = try #require(SchedulePlan(rate))
        let schedule = plan.schedule(warmUp: .seconds(1), duration: .seconds(2), arrivals: .even, sides: 1)
        #expect(abs(schedule.due(number).milliseconds - milliseconds) < 1e-3)
    }

    @Test(arguments: ["", "0", "-1", "x", "1..", "..2", "1,,2", "1..2..3", "1000001", "nan"])
    func refusesWhatIsNoRate(text: String) { #expect(SchedulePlan(text) == nil) }

    @Test func drawsPoissonArrivalsFromTheSeedAlone() {
        let schedule = Schedule(ratePerSide: 1000, arrivals: .poisson(seed: 7))
        #expect(
            (0..<100).map(schedule.due) == (0..<100).map(Schedule(ratePerSide: 1000, arrivals: .poisson(seed: 7)).due))
        #expect(schedule.due(50) != Schedule(ratePerSide: 1000, arrivals: .poisson(seed: 8)).due(50))
        // Of 10,000 expected, 300 are three standard deviations.
        #expect(abs(schedule.count(in: .seconds(10)) - 10_000) < 400)
        // A third of the gaps of such arrivals is longer than the mean; of even ones none is.
        let instants = (0..<2000).map { schedule.due($0).milliseconds }
        let long = zip(instants, instants.dropFirst()).count { $1 - $0 > 1 }
        #expect((600...880).contains(long))
    }

    @Test func letsTwoSidesTakeTurnsSoThatNeitherAlwaysGoesFirst() {
        let schedule = Schedule(ratePerSide: 1, sides: 2)
        #expect((0..<8).map(schedule.side) == [0, 1, 1, 0, 0, 1, 1, 0])
        #expect((0..<4).map(Schedule(ratePerSide: 1).side) == [0, 0, 0, 0])
    }

    @Test(arguments: [
        "ftp://x", "x", "http://", "http://u:p@x", "http://x:0", "http://x:y", "http://x/a b",
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
