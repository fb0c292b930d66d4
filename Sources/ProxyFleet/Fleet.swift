import FoundationEssentials
import Glibc
import ProxyFixtures
import Synchronization
public import ProxyLoad

/// Servers of ours with all they need, as processes on this machine: a simulated upstream, a database, the servers, tokens.
///
/// Whoever starts one stops it. What it keeps is in a folder of its own, which goes with it.
public final class Fleet: Sendable {
    public let plan: FleetPlan
    /// Where requests go.
    public let servers: [LoadTarget]
    /// Another upstream like that of the servers, for measuring without them.
    public let direct: LoadTarget
    /// Under which requests are sent.
    public var tokens: [String] { tenants.tokens }
    /// Processes by what they are, `server 1` and so on; the database's is all of its processes.
    public let processes: [(name: String, pid: Int32)]

    private let folder: FleetFolder
    private let serverProcesses: [ChildProcess]
    private let upstreamProcesses: [ChildProcess]
    private let upstream: LoadTarget
    private let postgres: EphemeralPostgres?
    private let tenants: FleetTenants
    private let environment: [String: String]
    /// Servers that were killed on purpose.
    private let killed = Mutex<Set<Int>>([])

    /// Starts everything, in order, and waits until it answers.
    /// - Throws: `FleetError` when something does not come up; then nothing is left running.
    public static func start(_ plan: FleetPlan) async throws -> Fleet {
        let builder = try FleetBuilder(plan)
        do {
            return try await builder.build()
        } catch {
            await builder.abandon()
            throw error
        }
    }

    init(_ plan: FleetPlan, parts: FleetBuilder.Parts) {
        self.plan = plan
        folder = parts.folder
        servers = parts.servers.map(\.target)
        serverProcesses = parts.servers.map(\.process)
        upstreamProcesses = parts.upstreams.map(\.process)
        upstream = parts.upstreams[0].target
        direct = parts.upstreams[1].target
        postgres = parts.postgres
        tenants = parts.tenants
        environment = parts.environment
        var processes = serverProcesses.enumerated().map { (name: "server \($0 + 1)", pid: $1.pid) }
        processes.append((name: "upstream", pid: upstreamProcesses[0].pid))
        processes.append((name: "upstream, direct", pid: upstreamProcesses[1].pid))
        if let pid = parts.postgres?.processID { processes.append((name: "PostgreSQL", pid: pid)) }
        processes.append((name: "load", pid: getpid()))
        self.processes = processes
    }

    /// What a page of metrics says, added up over the servers: by the name with its labels.
    public func metrics() async -> [String: Double] {
        guard let request = try? LoadRequest(method: "GET", path: "/metrics") else { return [:] }
        var sums: [String: Double] = [:]
        for server in servers {
            let answer = try? await PlainExchange.send(request, to: server, token: environment["MANAGEMENT_TOKEN"])
            for line in (answer?.text ?? "").split(separator: "\n") where !line.hasPrefix("#") {
                guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                    continue
                }
                sums[String(line[..<space]), default: 0] += value
            }
        }
        return sums
    }

    /// Ends one server at once, as a crash would.
    public func kill(_ index: Int) async {
        killed.withLock { _ = $0.insert(index) }
        serverProcesses[index].kill()
        _ = await serverProcesses[index].end(within: .seconds(10))
    }

    // MARK: The end

    /// Waits until all is counted, stops the servers in order, and compares what everybody has counted.
    /// - Parameter reports: of all runs that went through the servers; the first side of each is theirs.
    public func audit(_ reports: [LoadReport]) async throws -> FleetAudit {
        let truth = try await Self.truth(of: upstream)
        var counted = try await tenants.counted(cap: plan.cap)
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline, counted.requests < truth.requests || counted.tokens < truth.tokens {
            try await Task.sleep(for: .milliseconds(50))
            counted = try await tenants.counted(cap: plan.cap)
        }
        let endedInOrder = await stopServers()
        let isSound = plan.backend == .sqliteMemory ? nil : try await verify()
        let sides = reports.map { $0.sides[0] }
        return FleetAudit(
            sent: sides.reduce(0) { $0 + $1.sent }, acknowledged: sides.reduce(0) { $0 + $1.acknowledged },
            truth: truth, counted: counted, isSound: isSound,
            serversEnded: endedInOrder, hasLostServer: killed.withLock { !$0.isEmpty })
    }

    private static func truth(of upstream: LoadTarget) async throws -> UpstreamTruth {
        let answer = try await PlainExchange.send(
            try LoadRequest(method: "GET", path: "/sim/truth"), to: upstream)
        return try JSONDecoder().decode(UpstreamTruth.self, from: Data(answer.body))
    }

    /// - Returns: whether each ended in order now, but for those that were killed on purpose. One that had ended by itself did not.
    private func stopServers() async -> Bool {
        let killed = killed.withLock { $0 }
        let others = serverProcesses.indices.filter { !killed.contains($0) }
        let crashed = others.filter { serverProcesses[$0].exitCode != nil }
        for index in others { serverProcesses[index].terminate() }
        var areInOrder = crashed.isEmpty
        for index in others {
            let code = await serverProcesses[index].end(within: .seconds(40))
            areInOrder = areInOrder && code == 0
        }
        return areInOrder
    }

    /// Whether every invariant holds, as an independent reader finds it.
    private func verify() async throws -> Bool {
        let process = try ChildProcess(
            plan.program, ["db", "verify"], environment: environment, folder: folder.path,
            outputPath: "\(folder.path)/verify.log")
        plan.remains.add(process)
        guard let code = await process.end(within: .seconds(600)) else {
            process.kill()
            throw FleetError("db verify did not end within ten minutes")
        }
        guard code == 0 || code == 4 else { throw FleetError("db verify: \(process.output)") }
        return code == 0
    }

    /// Ends everything and removes the folder. May be called again.
    public func stop() async {
        _ = await stopServers()
        for process in serverProcesses + upstreamProcesses {
            process.kill()
            _ = await process.end(within: .seconds(5))
        }
        await BlockingCall.run { [postgres] in postgres?.remove() }
        folder.remove()
    }
}

/// What the simulated upstream says it has done.
struct UpstreamTruth: Decodable, Hashable, Sendable {
    let requests: Int
    /// Whose answers were written to their end.
    let completed: Int
    let prompt_tokens: Int
    let completion_tokens: Int

    var tokens: Int { prompt_tokens + completion_tokens }
}

extension FleetTenants.Counted {
    var tokens: Int { promptTokens + completionTokens }
}
