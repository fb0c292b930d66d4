import ArgumentParser
import ProxyManagement

/// What a further way of a project has besides its key.
struct UpstreamOptions: ParsableArguments {
    @Option(help: "An entry of the providers file; a new way has that of its project.")
    var provider: String?

    @Option(
        help: ArgumentHelp("An address in place of the provider's; '' for the provider's own.", valueName: "address"))
    var baseURL: String?

    @Option(
        help: ArgumentHelp(
            "0…1000: ways with the lowest are taken first; the project's own key has 0.", valueName: "number"))
    var priority: Int?

    @Option(
        help: ArgumentHelp(
            "1…1000: its share among ways of one priority; the project's own key has 100.", valueName: "number"))
    var weight: Int?

    func validate() throws {
        guard (0...1000).contains(priority ?? 0) else { throw ValidationError("--priority must be 0…1000.") }
        guard (1...1000).contains(weight ?? 1) else { throw ValidationError("--weight must be 1…1000.") }
    }

    var members: [(String, JSONValue?)] {
        [
            ("provider", provider.map(JSONValue.string)), ("base_url", baseURL.map(JSONValue.string)),
            ("priority", priority.map { JSONValue.integer($0) }), ("weight", weight.map { JSONValue.integer($0) }),
        ]
    }
}
