import ProxyLoad

extension ClaimCheck {
    /// G11.
    static let postgresInstances = ClaimCheck(
        "G11", "more than 100 requests per second with several instances on PostgreSQL"
    ) {
        bench in
        let plan = FleetPlan(backend: .postgres, instances: 3, tokens: 30, program: bench.program)
        let steady = try await bench.run(
            "G11: \(Int(bench.rate(300))) requests/s over three instances", plan,
            FleetRun.Traffic(
                mode: .rate(Schedule(ratePerSide: bench.rate(300), sides: 2)), parts: try ClaimBench.chat(),
                duration: bench.seconds(short: 6, long: 60)),
            ["errors==0", "lost==0", "duplicated==0", "content==0"])
        let capped = try await sharedCap(bench)
        let killed = try await killedInstance(bench)
        let ceiling = try await bench.ceiling("G11: the ceiling of three instances", plan, from: 500)
        return (
            [
                steady.measurement(
                    "300 requests/s over three instances", required: "no error, none lost", steady.carried), capped,
                killed,
            ] + [ceiling?.measurement("highest rate carried by three instances", above: 100)].compactMap { $0 },
            ceiling.map { $0.rate / 100 }
        )
    }

    /// A token that all instances share gets exactly its cap.
    private static func sharedCap(_ bench: ClaimBench) async throws -> ClaimResult.Measurement {
        let cap = bench.measures ? 500 : 20
        let record = try await bench.run(
            "G11: one capped token over three instances",
            FleetPlan(backend: .postgres, instances: 3, cap: cap, program: bench.program),
            FleetRun.Traffic(
                mode: .rate(Schedule(ratePerSide: bench.rate(400))), parts: try ClaimBench.chat(), warmUp: .zero,
                duration: bench.seconds(short: 3, long: 10), isCompared: false),
            ["over_admitted==0", "lost==0"])
        let admitted = record.report.sides[0].acknowledged
        return ClaimResult.Measurement(
            what: "a cap of \(cap) shared by three instances", required: "exactly \(cap) answered",
            measured: "\(admitted) answered of \(record.report.sides[0].sent) sent",
            holds: admitted == cap && record.isGood)
    }

    /// One instance is killed in the middle of a run.
    private static func killedInstance(_ bench: ClaimBench) async throws -> ClaimResult.Measurement {
        let duration = bench.seconds(short: 4, long: 20)
        let record = try await bench.run(
            "G11: one of three instances is killed",
            FleetPlan(backend: .postgres, instances: 3, tokens: 30, program: bench.program),
            FleetRun.Traffic(
                mode: .rate(Schedule(ratePerSide: bench.rate(300))), parts: try ClaimBench.chat(), duration: duration,
                isCompared: false),
            ["lost==0", "duplicated==0"]
        ) { fleet in
            try? await Task.sleep(for: .seconds(2) + duration / 2)
            await fleet.kill(2)
        }
        return record.measurement(
            "one instance killed in mid-run", required: "nothing acknowledged is lost",
            "\(Int(record.figure("lost"))) lost of \(record.audit?.acknowledged ?? 0) acknowledged; "
                + "\(Int(record.figure("errors"))) requests met the dead instance")
    }

    /// G12.
    static let manyConnections = ClaimCheck("G12", "thousands of concurrent connections") { bench in
        let streams = bench.form == .long ? 5000 : bench.measures ? 500 : 50
        // What a server takes at first is shared by few streams in the short form.
        let bound = bench.form == .long ? 30 : 64
        let parts = try LoadMix.parts("stream", headers: ["X-Sim-Chunks: 100000", "X-Sim-Chunk-Delay: 500"])
        let record = try await bench.run(
            "G12: \(streams) open streams over two instances",
            FleetPlan(
                backend: .postgres, instances: 2, settings: ["DATABASE_POOL_SIZE": "20"], tokens: 10,
                program: bench.program),
            FleetRun.Traffic(
                mode: .streams(streams, opening: Schedule(ratePerSide: 1000)), parts: parts,
                warmUp: bench.seconds(short: 2, long: 10), duration: bench.seconds(short: 4, long: 20),
                isCompared: false, checksContent: false),
            ["errors==0", "lost==0", "streams>=\(streams)"]
                + (bench.measures ? ["bytes_per_stream<\(bound)KiB"] : []))
        return (
            [
                record.measurement(
                    "\(streams) open streams over two instances with 20 database connections each",
                    required: "all open, no error, below \(bound) KiB each",
                    "\(Int(record.figure("streams"))) open at once, \(Int(record.figure("errors"))) errors, "
                        + "\((record.figure("bytes_per_stream") / 1024).shown) KiB each")
            ], Double(streams) / 1000
        )
    }

    /// G13: the sizing table, each row at the top of its range.
    static let sizingTable = ClaimCheck("G13", "the sizing table") { bench in
        let rows: [(name: String, rate: Double, pool: (size: String, idle: String, lifetime: String))] = [
            ("small", 100, ("10", "5", "1h")), ("medium", 500, ("20", "10", "30m")),
            ("large", 1000, ("50", "20", "15m")),
        ]
        var measurements: [ClaimResult.Measurement] = []
        for row in rows {
            let record = try await bench.run(
                "G13: \(row.name), \(Int(row.rate)) requests/s",
                FleetPlan(
                    backend: .postgres, instances: 2,
                    settings: [
                        "DATABASE_POOL_SIZE": row.pool.size, "DATABASE_MAX_IDLE_CONNS": row.pool.idle,
                        "DATABASE_CONN_MAX_LIFETIME": row.pool.lifetime,
                    ], tokens: 100, program: bench.program),
                FleetRun.Traffic(
                    mode: .rate(Schedule(ratePerSide: bench.rate(row.rate))), parts: try ClaimBench.chat(), skew: 1,
                    duration: bench.seconds(short: 4, long: 30), isCompared: false),
                ["errors==0", "lost==0"])
            measurements.append(
                record.measurement(
                    "\(row.name): \(Int(row.rate))/s with \(row.pool.size)/\(row.pool.idle)/\(row.pool.lifetime)",
                    required: "no error, none lost",
                    "\(record.carried), commit \(record.figure("mean(commit)").shown) ms, at most "
                        + "\(record.figure("most(pool_waiting)").shown) waiting for a connection"))
        }
        return (measurements, nil)
    }
}
