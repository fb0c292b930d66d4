import ArgumentParser
import ProxyDomain

/// Which requests are listed: those of which all holds that is said.
struct RequestFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Those of this project's tokens.", valueName: "id"))
    var projectID: String?

    @Option(help: ArgumentHelp("Those that were sent with this token.", valueName: "id"))
    var tokenID: String?

    @Option(help: "The model that answered, as the provider calls it.")
    var model: String?

    @Option(
        help: "The status that the client got, like 404, or a class of them, like 4xx; 0 for no answer.",
        completion: .list(Self.statusClasses))
    var status: String?

    @Option(
        help: "How it ended, such as completed, client_left or upstream_timeout.",
        completion: .words(of: RequestOutcome.self))
    var outcome: String?

    @Option(help: ArgumentHelp("From when on they came, like 2030-01-31T09:30:00Z.", valueName: "instant"))
    var since: String?

    @Option(help: ArgumentHelp("Before when they came.", valueName: "instant"))
    var until: String?

    func validate() throws {
        try IdentifierArgument.check(projectID, "--project-id")
        try IdentifierArgument.check(tokenID, "--token-id")
        try ArgumentCheck.choice(outcome, "--outcome", of: RequestOutcome.self)
        try ArgumentCheck.instant(since, "--since")
        try ArgumentCheck.instant(until, "--until")
        guard status.map(Self.isStatus) ?? true else {
            throw ValidationError("--status must be a status like 404, or a class like 4xx.")
        }
    }

    private static let statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"]

    private static func isStatus(_ text: String) -> Bool {
        if statusClasses.contains(text) { return true }
        return Int(text).map { (0...999).contains($0) } ?? false
    }

    var query: [(String, String?)] {
        [
            ("project_id", projectID), ("token_id", tokenID), ("model", model), ("status", status),
            ("outcome", outcome), ("since", since), ("until", until),
        ]
    }
}
