import ArgumentParser
import Glibc
import ProxyBlackBox
import ProxyConformance
import ProxyFleet
import ProxyLoad

/// `llm-proxy conformance`: what clients and upstreams may rely on, checked against a proxy that runs somewhere.
struct ConformanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Check a running proxy against the catalogue of what its clients and its upstream may rely on.",
        discussion: """
            The proxy must forward to this command, which stands in for the upstream. Example, with one of our own:
              llm-proxy server --listen :8080 --upstream http://127.0.0.1:19091 &
              MANAGEMENT_TOKEN=… llm-proxy conformance --target http://localhost:8080 --upstream-port 19091

            It makes projects and tokens of its own there and leaves them behind: don't point it at what is in use. What can't be
            seen from outside is 'n/a'. Exit codes: 0 all that applies holds, 1 something doesn't or nothing applies, 2 usage, 3 can't reach.
            """)

    @Option(help: "The proxy: http[s]://host[:port].")
    var target: String

    @Option(help: "For https: a PEM file with the certificates to trust instead of the system's.", completion: .file())
    var caFile: String?

    @Option(help: "Port that the proxy forwards to, where this command listens.")
    var upstreamPort = 19_091

    @Option(help: "IPv4 address of this machine for that port: 0.0.0.0 for a proxy on another one.")
    var upstreamAddress = "127.0.0.1"

    @Option(
        help: "ours, or openai-proxy for any other: then only statuses count, and errors that clients can show.",
        completion: .words(of: BlackBoxRun.Profile.self))
    var profile = "ours"

    @Option(
        help:
            "How tokens are issued: ours (by MANAGEMENT_TOKEN), litellm (by LITELLM_MASTER_KEY) or fixed (LLM_PROXY_TOKEN).",
        completion: .list(["ours", "litellm", "fixed"]))
    var issuer = "ours"

    @Option(help: "Management token, if it is not in MANAGEMENT_TOKEN.")
    var managementToken: String?

    @Option(help: "Only scenarios whose identifiers begin so.")
    var only = ""

    @Option(help: "A file for the matrix as Markdown.", completion: .file())
    var markdown: String?

    func validate() throws {
        guard BlackBoxRun.Profile(rawValue: profile) != nil else {
            throw ValidationError(
                "--profile must be \(BlackBoxRun.Profile.allCases.map(\.rawValue).joined(separator: " or ")).")
        }
        guard (1...65_535).contains(upstreamPort) else { throw ValidationError("--upstream-port must be 1…65535.") }
        var parsed = in_addr()
        guard inet_pton(AF_INET, upstreamAddress, &parsed) == 1 else {
            throw ValidationError("--upstream-address must be an IPv4 address of this machine.")
        }
        _ = try makeIssuer()
    }

    func run() async throws {
        let proxy = try await makeProxy()
        defer { proxy.stop() }
        guard let connection = try? await proxy.connect() else {
            StandardError.write("llm-proxy conformance: \(target) can't be reached")
            throw ExitCode(3)
        }
        await connection.close()
        let run = BlackBoxRun(proxy, profile: BlackBoxRun.Profile(rawValue: profile) ?? .ours, prefix: only)
        let report = await run.run { entry in
            if entry.verdict.isFailure { StandardError.write("FAIL \(entry.scenario)") }
        }
        StandardOutput.write(report.text)
        if let markdown { try TextFile.write(report.markdown, to: markdown) }
        guard !report.entries.isEmpty else {
            StandardError.write("llm-proxy conformance: no scenario begins with '\(only)'")
            throw ExitCode(2)
        }
        if report.entries.contains(where: \.verdict.isFailure) { throw ExitCode(1) }
        guard report.entries.contains(where: { if case .kept = $0.verdict { true } else { false } }) else {
            StandardError.write(
                "llm-proxy conformance: nothing was checked: none of \(report.entries.count) scenarios applies to this proxy"
            )
            throw ExitCode(1)
        }
    }

    private func makeProxy() async throws -> BlackBoxProxy {
        do {
            let target = try LoadTarget(url: target)
            guard target.path == "/" else {
                throw LoadError.malformedURL("scenarios name paths of their own: leave it out")
            }
            // What scenarios say is said byte by byte over plain connections. The tunnel lasts as long as this command.
            let tunnel = target.isTLS ? try await TLSTunnel.open(to: target, LoadTLS(roots: caFile)) : nil
            return try BlackBoxProxy(
                host: tunnel == nil ? target.host : "127.0.0.1", port: tunnel?.port ?? target.port,
                upstreamAddress: upstreamAddress, upstreamPort: upstreamPort, issuer: try makeIssuer(),
                run: String(UInt32.random(in: .min ... .max), radix: 16))
        } catch let error as LoadError {
            StandardError.write("llm-proxy conformance: \(error)")
            throw ExitCode(error.isUsage ? 2 : 3)
        } catch let error as BlackBoxError {
            StandardError.write("llm-proxy conformance: \(error)")
            throw ExitCode(3)
        }
    }

    private func makeIssuer() throws -> BlackBoxProxy.Issuer {
        func variable(_ name: String) throws -> String {
            guard let value = ProcessEnvironment.variables[name], !value.isEmpty else {
                throw ValidationError("--issuer \(issuer) needs \(name) in the environment.")
            }
            return value
        }
        switch issuer {
        case "ours": return .ours(managementToken: try managementToken ?? variable("MANAGEMENT_TOKEN"))
        case "litellm": return .liteLLM(masterKey: try variable("LITELLM_MASTER_KEY"))
        case "fixed": return .fixed(token: try variable("LLM_PROXY_TOKEN"))
        default: throw ValidationError("--issuer must be ours, litellm or fixed.")
        }
    }
}
