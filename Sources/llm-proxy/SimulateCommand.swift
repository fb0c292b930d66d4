import ArgumentParser
import ProxySimulator

/// `llm-proxy simulate`: an upstream that costs nothing.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Serve a deterministic OpenAI-style upstream, for trying and testing.",
        discussion: """
            Example:
              llm-proxy simulate --port 9090
              llm-proxy server --upstream http://127.0.0.1:9090

            Requests steer it with X-Sim-* headers; see docs/simulator.md.
            """)

    @Option(help: "Address to bind.")
    var host = "127.0.0.1"

    @Option(help: "Port to bind; 0 lets the system choose.")
    var port = 9090

    @Option(help: "Event loops.")
    var loops = 1

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be 0…65535.") }
        guard (1...64).contains(loops) else { throw ValidationError("--loops must be 1…64.") }
    }

    func run() async throws {
        OpenFiles.raiseLimit()
        let simulator: Simulator
        do {
            simulator = try await Simulator.start(host: host, port: port, loops: loops)
        } catch {
            StandardError.write(
                "llm-proxy: \(host):\(port) can't be bound (\(error)): stop what uses it, or name another port")
            throw ExitCode(1)
        }
        let stop = await StopSignal.watch()
        StandardOutput.write("The simulated upstream serves on http://\(host):\(simulator.port)")
        await stop.wait()
        try await simulator.stop()
    }
}
