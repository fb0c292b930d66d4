import ArgumentParser
import Glibc
import ProxyServer
import ProxySettings
import ProxySimulator

/// `llm-proxy server`: serves until it is told to stop.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Serve. Needs no configuration: SQLite in ./data, and a management token made at the first start.",
        discussion: """
            Example:
              llm-proxy server --listen :8080 --upstream simulator

            The providers file is read again when it changes, and at once with SIGHUP; one that can't be used changes nothing.
            SIGTERM or SIGINT stop it in order: /ready fails, open requests end, everything counted is written.

            Settings, from flags, then the environment, then ./.env:
            \(SettingsOptions.listing)
            """)

    @OptionGroup var settings: SettingsOptions

    @Option(
        help: "Base URL of the upstream, or 'simulator' to try it without a key. (OPENAI_API_URL)",
        completion: .list(["simulator"]))
    var upstream: String?

    func run() async throws {
        OpenFiles.raiseLimit()
        var overrides: [String: String] = [:]
        var simulator: Simulator?
        if upstream == "simulator" {
            let started = try await Simulator.start()
            overrides["OPENAI_API_URL"] = "http://127.0.0.1:\(started.port)"
            simulator = started
        } else if let upstream {
            overrides["OPENAI_API_URL"] = upstream
        }
        let settings = try settings.read(overrides: overrides)
        let server: ProxyServer
        do {
            server = try await ProxyServer.start(settings)
        } catch let error as StartupError {
            StandardError.write("llm-proxy: \(error)")
            throw ExitCode(1)
        }
        // Until here a signal ends the process, also while it waits for a database.
        let stop = await StopSignal.watch()
        let hangUps = await SignalWatch.watch([SIGHUP])
        let arrivals = hangUps.arrivals
        let reloading = Task { for await _ in arrivals { server.reload() } }
        greet(server, isSimulated: simulator != nil)
        let releasing = Task { await IdleMemory.release() }
        await stop.wait()
        releasing.cancel()
        reloading.cancel()
        hangUps.ignore()
        let cut = await server.stop()
        try? await simulator?.stop()
        if cut > 0 {
            StandardError.write("llm-proxy: \(cut) connections did not end within SHUTDOWN_GRACE and were cut")
        }
    }

    /// What to do next, ready to be pasted.
    private func greet(_ server: ProxyServer, isSimulated: Bool) {
        let address = "\(server.speaksTLS ? "https" : "http")://localhost:\(server.port)"
        StandardOutput.write("llm-proxy \(productVersion) serves on \(address)")
        let token: String
        if let file = server.managementTokenFile {
            StandardOutput.write("The management token is in \(file) (readable by its owner only).")
            token = "$(cat \(file))"
        } else {
            token = "$MANAGEMENT_TOKEN"
        }
        let key = isSimulated ? "any-key" : "$OPENAI_API_KEY"
        StandardOutput.write(
            """
            Make a project, then a token under the project's id:
              curl -s \(address)/manage/projects -H "Authorization: Bearer \(token)" \
            -H 'Content-Type: application/json' -d "{\\"name\\":\\"first\\",\\"api_key\\":\\"\(key)\\"}"
              curl -s \(address)/manage/tokens -H "Authorization: Bearer \(token)" \
            -H 'Content-Type: application/json' -d '{"project_id":"PROJECT_ID","duration_minutes":1440}'
            Then use the token with base_url=\(address)/v1
            """)
    }
}
