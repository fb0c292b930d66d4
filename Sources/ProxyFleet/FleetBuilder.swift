import FoundationEssentials
import ProxyFixtures
import ProxyLoad

/// Starts a fleet's parts one after the other. Used by one task.
final class FleetBuilder {
    /// A process and where it serves.
    typealias Service = (process: ChildProcess, target: LoadTarget)

    /// All of a fleet.
    struct Parts {
        let folder: FleetFolder
        let upstreams: [Service]
        let servers: [Service]
        let postgres: EphemeralPostgres?
        let tenants: FleetTenants
        let environment: [String: String]
    }

    private let plan: FleetPlan
    private let folder: FleetFolder
    private var services: [Service] = []
    private var postgres: EphemeralPostgres?

    init(_ plan: FleetPlan) throws(FleetError) {
        self.plan = plan
        folder = try FleetFolder()
        plan.remains.add(folder)
    }

    func build() async throws -> Fleet {
        for name in ["upstream", "direct"] {
            try await startService(["simulate", "--port", "0"], environment: [:], name: name)
        }
        let upstreams = services
        let environment = try await environment()
        for number in 1...plan.instances {
            try await startService(
                ["server", "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:\(upstreams[0].target.port)"],
                environment: environment, name: "server-\(number)")
        }
        let servers = Array(services[upstreams.count...])
        var tenants = FleetTenants(
            server: servers[0].target, managementToken: environment["MANAGEMENT_TOKEN"] ?? "")
        try await tenants.make(plan.tokens, cap: plan.cap)
        return Fleet(
            plan,
            parts: Parts(
                folder: folder, upstreams: upstreams, servers: servers, postgres: postgres, tenants: tenants,
                environment: environment))
    }

    /// Ends what was started.
    func abandon() async {
        for service in services {
            service.process.kill()
            _ = await service.process.end(within: .seconds(5))
        }
        await BlockingCall.run { [postgres] in postgres?.remove() }
        folder.remove()
    }

    private func environment() async throws -> [String: String] {
        var environment = ["MANAGEMENT_TOKEN": Self.randomHex(), "LOG_LEVEL": "warn"]
        switch plan.backend {
        case .sqlite: environment["DATABASE_PATH"] = "\(folder.path)/llm-proxy.db"
        case .sqliteMemory: environment["DATABASE_PATH"] = ":memory:"
        case .postgres:
            let (server, database) = try await BlockingCall.run { Self.makeDatabase() }.get()
            postgres = server
            environment["DB_DRIVER"] = "postgres"
            environment["DATABASE_URL"] = server.url(database: database)
            environment["ENCRYPTION_KEY"] = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) })
                .base64EncodedString()
        }
        return environment.merging(plan.settings) { $1 }
    }

    private static func makeDatabase() -> Result<(EphemeralPostgres, name: String), FleetError> {
        do throws(FixtureError) {
            let server = try EphemeralPostgres.start(.init(isDurable: true))
            return .success((server, try server.createDatabase(named: nil, template: "template1")))
        } catch {
            return .failure(FleetError("\(error)"))
        }
    }

    private static func randomHex() -> String {
        (0..<4).map { _ in String(UInt64.random(in: .min ... .max) | 1 << 63, radix: 16) }.joined()
    }

    private func startService(_ arguments: [String], environment: [String: String], name: String) async throws {
        services.append(
            try await Self.startService(
                plan.program, arguments, environment: environment, name: name, in: folder, remains: plan.remains))
    }

    /// Starts a program that serves on a port of its own choice, and waits until it says which.
    static func startService(
        _ program: String, _ arguments: [String], environment: [String: String], name: String, in folder: FleetFolder,
        remains: FleetRemains
    ) async throws -> Service {
        let process = try ChildProcess(
            program, arguments, environment: environment, folder: folder.path,
            outputPath: "\(folder.path)/\(name).log")
        remains.add(process)
        let port = try await waitForPort(of: process, name: name)
        return (process, try LoadTarget(url: "http://127.0.0.1:\(port)/v1/chat/completions"))
    }

    /// Waits until a program says where it serves. One that doesn't is ended.
    private static func waitForPort(of process: ChildProcess, name: String) async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if let port = port(in: process.output) { return port }
            guard process.exitCode == nil else { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        process.kill()
        throw FleetError("\(name) did not start: \(process.output)")
    }

    private static func port(in output: String) -> Int? {
        for line in output.split(separator: "\n") {
            guard line.contains("serves on http"), let colon = line.lastIndex(of: ":") else { continue }
            return Int(line[line.index(after: colon)...].prefix { $0.isNumber })
        }
        return nil
    }
}
