import ArgumentParser

/// Where the management API is, and how it is called.
protocol ManagementAccess: ParsableArguments {
    /// The server's address as it was typed.
    var url: String? { get }
    var call: CallOptions { get }
}

extension ManagementAccess {
    /// What the calls of a subcommand need.
    func session() throws(ManageError) -> ManagementSession {
        let variables = ProcessEnvironment.variables
        let set = variables["LLM_PROXY_URL"].flatMap { $0.isEmpty ? nil : $0 }
        guard let address = ManagementAddress(url ?? set ?? "http://localhost:8080") else {
            // The text stays out of it: a password may stand in a wrong one.
            throw .usage(
                "the server's address, in --manage-api-base-url or LLM_PROXY_URL, must be http(s)://host[:port]")
        }
        let client = ManagementClient(
            address: address, token: try call.token(variables), timeout: .seconds(call.timeout))
        return ManagementSession(client: client, printsJSON: call.json)
    }
}

/// What every subcommand takes but those that have another use for `--url`.
struct ManagementOptions: ManagementAccess {
    @Option(
        name: [.customLong("url"), .customLong("manage-api-base-url")],
        help: ArgumentHelp(
            "The server: http(s)://host[:port]; otherwise http://localhost:8080. (LLM_PROXY_URL)", valueName: "url"))
    var url: String?

    @OptionGroup var call: CallOptions
}
