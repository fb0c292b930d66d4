import ProxyLoad

extension ClaimCheck {
    /// G10.
    static let sqliteRate = ClaimCheck("G10", "about 100 requests per second per SQLite instance") { bench in
        let plan = FleetPlan(backend: .sqlite, tokens: 10, program: bench.program)
        let record = try await bench.run(
            "G10: \(Int(bench.rate(100))) requests/s on a SQLite file", plan,
            FleetRun.Traffic(
                mode: .rate(Schedule(ratePerSide: bench.rate(100), arrivals: .poisson(seed: 10), sides: 2)),
                parts: try ClaimBench.chat(), duration: bench.seconds(short: 6, long: 60)),
            ["errors==0", "lost==0", "duplicated==0", "content==0"] + (bench.measures ? ["p99(added)<50ms"] : []))
        let ceiling = try await bench.ceiling("G10: the ceiling of a SQLite file", plan, from: 1000)
        let inMemory = try await bench.ceiling(
            "G10: the ceiling of SQLite in memory",
            FleetPlan(backend: .sqliteMemory, tokens: 10, program: bench.program), from: 1000)
        return (
            [
                record.measurement(
                    "100 requests/s, each counted durably", required: "no error, none lost, p99 added below 50 ms",
                    record.carried)
            ]
                + [
                    ceiling?.measurement("highest rate carried", above: 100),
                    inMemory?.measurement("highest rate carried in memory", above: 100),
                ].compactMap { $0 },
            ceiling.map { $0.rate / 100 }
        )
    }

    /// G18.
    static let edge = ClaimCheck("G18", "minimal resource requirements") { bench in
        bench.report("G18: footprint")
        let start = try await ColdStart.measure(
            program: bench.program, rounds: bench.form == .long ? 7 : 3,
            rest: bench.form == .long ? .seconds(22) : .milliseconds(500), remains: bench.remains)
        let idleBound = bench.form == .long ? 20 : 64
        let plan = FleetPlan(backend: .sqlite, program: bench.program)
        let record = try await bench.run(
            "G18: memory under load", plan,
            FleetRun.Traffic(
                mode: .rate(Schedule(ratePerSide: bench.rate(500))), parts: try ClaimBench.chat(),
                duration: bench.seconds(short: 4, long: 30), isCompared: false),
            ["errors==0", "lost==0", "rss(server)<128MiB"])
        func mebibytes(_ bytes: Double) -> String { "\((bytes / 1_048_576).shown) MiB" }
        return (
            [
                ClaimResult.Measurement(
                    what: "start to the first proxied answer, existing database",
                    required: "below 1 s" + (bench.measures ? "" : " (not judged)"),
                    measured: "\(start.firstAnswer.milliseconds.shown) ms (median of \(start.rounds))",
                    holds: start.firstAnswer < .seconds(1) || !bench.measures),
                ClaimResult.Measurement(
                    what: "resident memory, idle", required: "below \(idleBound) MiB",
                    measured: mebibytes(Double(start.idleBytes)), holds: start.idleBytes < idleBound << 20),
                record.measurement(
                    "resident memory at 500 requests/s", required: "below 128 MiB, no error, none lost",
                    mebibytes(record.figure("rss(server)"))),
                ClaimResult.Measurement(
                    what: "size of the program", required: "stated", measured: mebibytes(Double(start.programBytes)),
                    holds: true),
            ], nil
        )
    }
}
