import Glibc
import ProxyLoad

/// How a server starts on a database that is there, and what it needs when it is idle.
struct ColdStart {
    /// From starting the program to the end of its first proxied answer: the median.
    let firstAnswer: Duration
    let rounds: Int
    let idleBytes: Int
    let programBytes: Int

    /// - Parameter rest: how long the last server has nothing to do before its memory is looked at. A server gives memory back once it
    ///   has had nothing to do for ten seconds, and looks every ten.
    static func measure(
        program: String, rounds: Int, rest: Duration, remains: FleetRemains
    ) async throws -> ColdStart {
        let folder = try FleetFolder()
        remains.add(folder)
        defer { folder.remove() }
        let upstream = try await FleetBuilder.startService(
            program, ["simulate", "--port", "0"], environment: [:], name: "upstream", in: folder, remains: remains)
        defer { upstream.process.kill() }
        let environment = [
            "MANAGEMENT_TOKEN": "cold-start-management-token-0123456789", "LOG_LEVEL": "warn",
            "DATABASE_PATH": "\(folder.path)/llm-proxy.db",
            "OPENAI_API_URL": "http://127.0.0.1:\(upstream.target.port)",
        ]
        let first = try await FleetBuilder.startService(
            program, ["server", "--listen", "127.0.0.1:0"], environment: environment, name: "first", in: folder,
            remains: remains)
        defer { first.process.kill() }
        var tenants = FleetTenants(
            server: first.target, managementToken: environment["MANAGEMENT_TOKEN"] ?? "")
        try await tenants.make(1, cap: 0)
        try await stop(first.process)
        var times: [Duration] = []
        var idleBytes = 0
        for round in 1...rounds {
            let begin = ContinuousClock.now
            let process = try ChildProcess(
                program, ["server", "--listen", "127.0.0.1:\(first.target.port)"], environment: environment,
                folder: folder.path, outputPath: "\(folder.path)/round-\(round).log")
            remains.add(process)
            defer { process.kill() }
            try await ask(first.target, token: tenants.tokens[0], of: process)
            times.append(.now - begin)
            if round == rounds {
                try await Task.sleep(for: rest)
                idleBytes = ProcessUsage(of: [process.pid]).residentBytes
            }
            try await stop(process)
        }
        var status = stat()
        guard stat(program, &status) == 0 else { throw FleetError("\(program): \(String(cString: strerror(errno)))") }
        return ColdStart(
            firstAnswer: times.sorted()[times.count / 2], rounds: rounds, idleBytes: idleBytes,
            programBytes: Int(status.st_size))
    }

    /// Asks until it is answered.
    private static func ask(_ target: LoadTarget, token: String, of process: ChildProcess) async throws {
        let request = try LoadMix.parts("chat")[0].request
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline, process.exitCode == nil {
            if let answer = try? await PlainExchange.send(request, to: target, token: token), answer.status == 200 {
                return
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw FleetError("the server did not answer: \(process.output)")
    }

    private static func stop(_ process: ChildProcess) async throws {
        process.terminate()
        guard await process.end(within: .seconds(40)) == 0 else {
            throw FleetError("the server did not end in order: \(process.output)")
        }
    }
}
