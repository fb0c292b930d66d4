extension CommandScenario {
    /// What the file of the audit promises.
    static let auditFiles: [CommandScenario] = [
        CommandScenario(
            "audit.file.is-written-and-put-aside",
            "AUDIT_LOG_FILE has one JSON object for each event, for its owner alone; a large one is put aside, and none is lost."
        ) { bench, check in
            let server = try await bench.serve(["AUDIT_LOG_FILE": "audit.log", "AUDIT_LOG_MAX_SIZE": "4KiB"])
            for number in 1...30 {
                _ = try await server.manage("POST", "/manage/projects", #"{"name":"p\#(number)","api_key":"k"}"#)
            }
            let total = try await server.manage("GET", "/manage/audit").json["pagination"]["total_count"].integer
            check.equal(total, 30, "events in the database")
            check.equal(try await server.stop(), 0, "exit code")
            let files = bench.files().filter { $0.hasPrefix("audit.log") }.reversed()
            check.that(files.count > 2, "files: \(files)")
            let lines = files.flatMap { file in
                (bench.bytes(of: file) ?? []).split(separator: UInt8(ascii: "\n")).map { JSONDocument(Array($0)) }
            }
            check.equal(
                lines.map { $0?["metadata"]["name"].string }, (1...30).map { "p\($0)" }, "events, file by file")
            for file in files {
                check.equal(bench.mode(of: file), 0o600, "mode of \(file)")
                check.that((bench.bytes(of: file)?.count ?? 0) <= 4096, "\(file) is too large")
            }
        },
        CommandScenario(
            "audit.file.unusable-is-one-line", "A file that can't be written is one clear line at the start."
        ) {
            bench, check in
            let (code, output) = try await bench.finish(
                ["server", "--listen", "127.0.0.1:0"], environment: ["AUDIT_LOG_FILE": "nowhere/audit.log"])
            check.equal(code, 1, "exit code")
            check.that(output.contains("AUDIT_LOG_FILE nowhere/audit.log"), "said: \(output)")
            check.equal(output.split(separator: "\n").count, 1, "lines")
        },
    ]
}
