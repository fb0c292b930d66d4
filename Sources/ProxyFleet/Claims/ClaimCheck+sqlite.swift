import ProxyLoad

extension ClaimCheck {
    /// G10.
    static let sqliteRate = ClaimCheck("G10", "about 100 requests per second per SQLite instance") { bench in
        let plan = FleetPlan(backend: .sqlite, tokens: 10, program: bench.program)
        let record = try await bench.run(
            "G10: 100 requests/s on a SQLite file", plan,
            FleetRun.Traffic(
                mode: .rate(Schedule(ratePerSide: 100, arrivals: .poisson(seed: 10), sides: 2)),
                parts: try ClaimBench.chat(), duration: bench.seconds(short: 6, long: 60)),
            ["errors==0", "lost==0", "duplicated==0", "content==0", "p99(added)<50ms"])
        let ceiling = try await bench.ceiling("G10: the ceiling of a SQLite file", plan, from: 1000)
        return (
            [
                record.measurement(
                    "100 requests/s, each counted durably", required: "no error, none lost, p99 added below 50 ms",
                    record.carried),
                ClaimResult.Measurement(
                    what: "highest rate carried", required: "above 100/s, count exact",
                    measured: "\(Int(ceiling.rate))/s with load and upstream on the same cores; \(ceiling.reason)",
                    holds: ceiling.rate > 100 && ceiling.audit.isExact),
            ], ceiling.rate / 100
        )
    }

    /// G18.
    static let edge = ClaimCheck("G18", "minimal resource requirements") { bench in
        bench.report("G18: footprint")
        let start = try await ColdStart.measure(program: bench.program, rounds: bench.isLong ? 7 : 3)
        let plan = FleetPlan(backend: .sqlite, program: bench.program)
        let record = try await bench.run(
            "G18: memory under load", plan,
            FleetRun.Traffic(
                mode: .rate(Schedule(ratePerSide: 500)), parts: try ClaimBench.chat(),
                duration: bench.seconds(short: 4, long: 30), isCompared: false),
            ["errors==0", "lost==0", "rss(server)<128MiB"])
        func mebibytes(_ bytes: Double) -> String { "\((bytes / 1_048_576).shown) MiB" }
        return (
            [
                ClaimResult.Measurement(
                    what: "start to the first proxied answer, existing database", required: "below 1 s",
                    measured: "\(start.firstAnswer.milliseconds.shown) ms (median of \(start.rounds))",
                    holds: start.firstAnswer < .seconds(1)),
                ClaimResult.Measurement(
                    what: "resident memory, idle", required: "below 64 MiB",
                    measured: mebibytes(Double(start.idleBytes)), holds: start.idleBytes < 64 << 20),
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
