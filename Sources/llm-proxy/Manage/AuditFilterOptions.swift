import ArgumentParser
import ProxyDomain

/// Which events of the audit are listed: those of which all holds that is said.
struct AuditFilterOptions: ParsableArguments {
    @Option(help: "What was done, such as token.create.")
    var action: String?

    @Option(help: "Who did it.")
    var actor: String?

    @Option(
        help: ArgumentHelp("How it ended: success or refused.", valueName: "outcome"),
        completion: .words(of: AuditEvent.Outcome.self))
    var outcome: String?

    @Option(help: "The request's method.")
    var method: String?

    @Option(help: "The request's whole path.")
    var path: String?

    @Option(help: ArgumentHelp("The id that the server gave the request.", valueName: "id"))
    var requestID: String?

    @Option(help: ArgumentHelp("The id that its client gave it.", valueName: "id"))
    var correlationID: String?

    @Option(help: ArgumentHelp("Where it came from.", valueName: "address"))
    var clientIP: String?

    @Option(help: ArgumentHelp("The project that it is about.", valueName: "id"))
    var projectID: String?

    @Option(help: ArgumentHelp("The token that it is about.", valueName: "id"))
    var tokenID: String?

    @Option(help: ArgumentHelp("The first instant, like 2030-01-31T09:30:00Z.", valueName: "instant"))
    var startTime: String?

    @Option(help: ArgumentHelp("The last instant.", valueName: "instant"))
    var endTime: String?

    @Option(help: ArgumentHelp("Words that must all be somewhere in the event, in any case.", valueName: "words"))
    var search: String?

    @Option(help: ArgumentHelp("A member of the event's metadata and its value.", valueName: "NAME=VALUE"))
    var metadata: String?

    func validate() throws {
        try IdentifierArgument.check(projectID, "--project-id")
        try IdentifierArgument.check(tokenID, "--token-id")
        guard outcome.map({ ["success", "refused"].contains($0) }) ?? true else {
            throw ValidationError("--outcome must be success or refused.")
        }
        guard metadata == nil || member != nil else {
            throw ValidationError("--metadata takes NAME=VALUE, for instance --metadata upstream_id=ID.")
        }
    }

    private var member: (name: String, value: String)? {
        guard let metadata, let equals = metadata.firstIndex(of: "="), equals > metadata.startIndex else { return nil }
        return (String(metadata[..<equals]), String(metadata[metadata.index(after: equals)...]))
    }

    /// Names and values as they are typed, without escapes.
    var query: [(String, String?)] {
        var query: [(String, String?)] = [
            ("action", action), ("actor", actor), ("outcome", outcome), ("method", method), ("path", path),
            ("request_id", requestID), ("correlation_id", correlationID), ("client_ip", clientIP),
            ("project_id", projectID), ("token_id", tokenID), ("start_time", startTime), ("end_time", endTime),
            ("search", search),
        ]
        if let member { query.append(("metadata.\(member.name)", member.value)) }
        return query
    }
}
