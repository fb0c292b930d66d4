import ArgumentParser
import ProxyDomain
import ProxyManagement

/// A budget, of a token or a project.
struct BudgetOptions: ParsableArguments {
    @Option(help: ArgumentHelp("US dollars that may be spent, or none.", valueName: "usd"))
    var budgetUSD: LimitValue?

    @Option(
        help: ArgumentHelp("When the budget begins anew: none, day or month, in UTC.", valueName: "period"),
        completion: .words(of: BudgetPeriod.self))
    var budgetPeriod: String?

    @Option(
        help: ArgumentHelp(
            "normal admits while something is left; strict only what fits in with the most it can cost.",
            valueName: "mode"), completion: .words(of: BudgetMode.self))
    var budgetMode: String?

    @Option(
        help: ArgumentHelp(
            "A limit that only counts and refuses nothing, by its name in the API; or all, or none. May be repeated.",
            valueName: "limit"), completion: .list(LimitKinds.named.map { $0.name } + ["all", "none"]))
    var shadow: [String] = []

    /// Members of `limits` that were named.
    var changes: [(String, JSONValue)] {
        var changes: [(String, JSONValue)] = []
        if let budgetUSD { changes.append(("budget_usd", budgetUSD.json)) }
        if let budgetPeriod { changes.append(("budget_period", .string(budgetPeriod))) }
        if let budgetMode { changes.append(("budget_mode", .string(budgetMode))) }
        if let shadowed { changes.append(("shadow", shadowed)) }
        return changes
    }

    private var shadowed: JSONValue? {
        switch shadow {
        case []: nil
        case ["all"]: .bool(true)
        case ["none"]: .bool(false)
        default: .names(shadow)
        }
    }
}
