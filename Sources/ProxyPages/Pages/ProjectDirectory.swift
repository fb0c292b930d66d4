/// Names of projects, for lists and choices.
struct ProjectDirectory: Sendable {
    /// As many as the API gives at once.
    private static let bound = "1000"

    let projects: [(id: String, name: String)]
    /// Whether there are more than are listed.
    let isPartial: Bool

    init(_ api: ManagementClient) async {
        let answer = await api.get("/manage/projects", [("limit", Self.bound)])
        projects = answer.document.items.map { (id: $0["id"].plain, name: $0["name"].plain) }
        isPartial = !answer.nextCursor.isEmpty
    }

    func name(of id: String) -> String { projects.first { $0.id == id }?.name ?? Shown.short(id) }

    /// Choices for a list, the chosen one among them even where it is not listed.
    func options(chosen: String) -> [View] {
        var choices: [(String, String)] = projects.map { ($0.id, $0.name) }
        if !chosen.isEmpty, !choices.contains(where: { $0.0 == chosen }) { choices.append((chosen, chosen)) }
        return FieldValues.options(choices, chosen: chosen)
    }
}
