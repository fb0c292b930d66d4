import ArgumentParser
import ProxyDomain
import ProxyManagement

/// What a project has besides its name and its key.
struct ProjectOptions: ParsableArguments {
    @Option(help: "An entry of the providers file; a new project has the default one.")
    var provider: String?

    @Option(
        help: ArgumentHelp("An address in place of the provider's; '' for the provider's own.", valueName: "address"))
    var baseURL: String?

    @Option(
        help: ArgumentHelp(
            "Where the usage of streams comes from that don't tell it: estimate, or ask the provider.",
            valueName: "source"), completion: .words(of: StreamUsage.self))
    var streamUsage: String?

    @Option(
        help: ArgumentHelp(
            "When a client leaves a stream: bill what passed, drain it for its end, or cancel.", valueName: "habit"),
        completion: .words(of: ClientLeaves.self))
    var clientLeaves: String?

    @Option(
        help: ArgumentHelp(
            "Whose cached answers it is given: of the project alone, or shared ones.", valueName: "scope"),
        completion: .words(of: CacheScope.self))
    var cacheScope: String?

    @Option(
        help: ArgumentHelp("Whether answers from the cache count towards caps: count or free.", valueName: "habit"),
        completion: .words(of: CacheHits.self))
    var cacheHits: String?

    @OptionGroup var budget: BudgetOptions
    @OptionGroup var access: AccessOptions

    var members: [(String, JSONValue?)] {
        let words = [
            ("provider", provider), ("base_url", baseURL), ("stream_usage", streamUsage),
            ("client_leaves", clientLeaves), ("cache_scope", cacheScope), ("cache_hits", cacheHits),
        ]
        let own: [(String, JSONValue?)] = words.map { name, word in (name, word.map(JSONValue.string)) }
        return own + access.members
    }
}
