import ArgumentParser
import ProxyDomain

/// Whose usage is told, of which time, and what it is told apart by.
struct UsageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A line for each project, token, model or status; otherwise none.", valueName: "what"),
        completion: .words(of: UsageQuery.Grouping.self))
    var groupBy: String?

    @Option(
        help: ArgumentHelp("A line for each hour or day in UTC; otherwise total.", valueName: "span"),
        completion: .words(of: UsageQuery.Interval.self))
    var interval: String?

    @Option(
        help: ArgumentHelp(
            "The first hour; otherwise 30 days before the end, by the hour 24 hours.", valueName: "instant"))
    var since: String?

    @Option(help: ArgumentHelp("The end of the last hour; otherwise now.", valueName: "instant"))
    var until: String?

    @Option(help: ArgumentHelp("What this project's requests used.", valueName: "id"))
    var projectID: String?

    @Option(help: ArgumentHelp("What was used with this token.", valueName: "id"))
    var tokenID: String?

    @Option(help: "What was used of this model, as the provider calls it.")
    var model: String?

    func validate() throws {
        try ArgumentCheck.choice(groupBy, "--group-by", of: UsageQuery.Grouping.self)
        try ArgumentCheck.choice(interval, "--interval", of: UsageQuery.Interval.self)
        try ArgumentCheck.instant(since, "--since")
        try ArgumentCheck.instant(until, "--until")
        try IdentifierArgument.check(projectID, "--project-id")
        try IdentifierArgument.check(tokenID, "--token-id")
    }

    var query: [(String, String?)] {
        [
            ("group_by", groupBy), ("interval", interval), ("since", since), ("until", until),
            ("project_id", projectID), ("token_id", tokenID), ("model", model),
        ]
    }
}
