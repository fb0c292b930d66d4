/// A budget with what has gone off it.
enum Budgets {
    /// Nothing without a budget.
    static func view(_ account: Document, _ limits: Document) -> View? {
        guard !account.isNull, let amount = limits["budget_usd"].number else { return nil }
        let (spent, reserved) = (account["spent_usd"].number ?? 0, account["reserved_usd"].number ?? 0)
        return [
            "spentText": Shown.money(spent), "reservedText": Shown.money(reserved), "amountText": Shown.money(amount),
            "budgetShare": "\(Shown.share(spent + reserved, of: amount))",
            "resetsHTML": Shown.timeMarkup(account["resets_at"], otherwise: "never"),
            "isShadow": limits["shadow"].names.contains("budget_usd"),
        ]
    }
}
