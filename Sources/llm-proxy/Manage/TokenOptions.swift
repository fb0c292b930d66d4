import ArgumentParser
import ProxyManagement

/// What a token has besides its project.
struct TokenOptions: ParsableArguments {
    @Option(help: "What people call it.")
    var name: String?

    @Option(help: ArgumentHelp("Most requests that it may ever send; 0 for no cap.", valueName: "count"))
    var maxRequests: Int64?

    @Option(help: ArgumentHelp("When it ends: an instant like 2030-01-31T09:30:00Z.", valueName: "instant"))
    var expiresAt: String?

    @Flag(help: "It never ends.")
    var neverExpires = false

    @Option(help: ArgumentHelp("Most requests in any 60 seconds, or none.", valueName: "count"))
    var requestsPerMinute: LimitValue?

    @Option(help: ArgumentHelp("Most prompt and completion tokens in any 60 seconds, or none.", valueName: "count"))
    var tokensPerMinute: LimitValue?

    @OptionGroup var budget: BudgetOptions
    @OptionGroup var access: AccessOptions

    func validate() throws {
        guard expiresAt == nil || !neverExpires else {
            throw ValidationError("--expires-at and --never-expires exclude each other.")
        }
    }

    /// Members of `limits` that were named.
    var limitChanges: [(String, JSONValue)] {
        var changes = budget.changes
        if let requestsPerMinute { changes.append(("requests_per_minute", requestsPerMinute.json)) }
        if let tokensPerMinute { changes.append(("tokens_per_minute", tokensPerMinute.json)) }
        return changes
    }

    var members: [(String, JSONValue?)] {
        let own: [(String, JSONValue?)] = [
            ("name", name.map(JSONValue.string)), ("max_requests", maxRequests.map { JSONValue.integer($0) }),
            ("expires_at", expiresAt.map(JSONValue.string)),
            ("never_expires", neverExpires ? JSONValue.bool(true) : nil),
        ]
        return own + access.members
    }
}
