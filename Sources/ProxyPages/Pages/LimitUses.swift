/// How much of each limit is used, as pages show it. Nothing for limits that aren't there.
struct LimitUses {
    let cap: View?
    let requests: View?
    let tokens: View?
    let budget: View?
    /// The budget that a token shares with all tokens of its project.
    let projectBudget: View?

    /// All of them, in the order in which a token has them.
    var all: [View] { [cap, requests, tokens, budget, projectBudget].compactMap { $0 } }

    init(of token: Document, in project: Document) {
        cap = Self.count("max_requests", "Requests over its whole life", of: token["max_requests"], in: token)
        requests = Self.count(
            "requests_per_minute", "Requests in the last minute", of: token["limits"]["requests_per_minute"], in: token)
        tokens = Self.count(
            "tokens_per_minute", "Tokens in the last minute, with those set aside",
            of: token["limits"]["tokens_per_minute"], in: token)
        budget = Self.budget(token, "Budget", figure: "used_budget_usd")
        projectBudget = Self.budget(project, "Budget of its project", figure: "used_project_budget_usd")
    }

    /// A limit of a number of something.
    private static func count(_ name: String, _ title: String, of limit: Document, in token: Document) -> View? {
        let use = token["consumption"][name]
        guard !use.isNull else { return nil }
        let (used, remaining) = (use["used"].whole, use["remaining"].whole)
        var view: View = [
            "useTitle": title, "useFigure": "used_\(name)", "usedText": Shown.grouped(used), "usedMore": "",
            "limitText": Shown.grouped(limit.whole), "remainingText": Shown.grouped(remaining),
            "useShare": "\(Shown.share(Double(used), of: Double(limit.whole)))", "isUsedUp": remaining == 0,
            "isShadow": token["limits"]["shadow"].names.contains(name),
        ]
        if !use["free_at"].isNull { view["useHintHTML"] = "Room again: \(Shown.timeMarkup(use["free_at"]))" }
        return view
    }

    /// The budget of a token or a project.
    static func budget(_ owner: Document, _ title: String, figure: String) -> View? {
        let (account, limits) = (owner["budget"], owner["limits"])
        guard !account.isNull, let amount = limits["budget_usd"].number else { return nil }
        let (spent, reserved) = (account["spent_usd"].number ?? 0, account["reserved_usd"].number ?? 0)
        let remaining = account["remaining_usd"].number ?? 0
        return [
            "useTitle": title, "useFigure": figure, "usedText": Shown.money(spent),
            "usedMore": " spent and \(Shown.money(reserved)) set aside", "limitText": Shown.money(amount),
            "remainingText": Shown.money(remaining), "useShare": "\(Shown.share(spent + reserved, of: amount))",
            "isUsedUp": remaining <= 0, "isShadow": limits["shadow"].names.contains("budget_usd"),
            "useHintHTML": "Begins anew: \(Shown.timeMarkup(account["resets_at"], otherwise: "never"))",
        ]
    }
}
