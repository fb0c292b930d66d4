import ProxyManagement

/// Reading answers.
extension JSONValue {
    /// A member of an object; `null` when there is none.
    subscript(name: String) -> JSONValue {
        guard case .members(let members) = self else { return .null }
        return members.first(where: { $0.name == name })?.value ?? .null
    }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// What an array holds; nothing for anything else.
    var items: [JSONValue] {
        guard case .array(let items) = self else { return [] }
        return items
    }
}

/// Building bodies.
extension JSONValue {
    /// An object of those members that have a value.
    static func given(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(members.compactMap { name, value in value.map { (name, $0) } })
    }

    /// The same object with some members set anew.
    func setting(_ changes: [(String, JSONValue)]) -> JSONValue {
        guard case .members(let members) = self else { return .object(changes) }
        let kept = members.filter { member in !changes.contains(where: { $0.0 == member.name }) }
        return .object(kept.map { ($0.name, $0.value) } + changes)
    }

    /// Limits with changes. What says something of a limit goes away with it.
    func changing(limits changes: [(String, JSONValue)]) -> JSONValue {
        var limits = self
        for (name, value) in changes where value == .null {
            if name == "budget_usd" { limits = limits.setting([("budget_period", .null), ("budget_mode", .null)]) }
            let shadow = limits["shadow"].items.filter { $0 != .string(name) }
            limits = limits.setting([("shadow", .array(shadow))])
        }
        return limits.setting(changes)
    }
}
