/// The way to the next part of a list, and back to its begin.
enum Pager {
    /// - Parameters:
    ///   - filters: what the links must repeat.
    ///   - cursor: where this part begins; empty for the first.
    static func view(_ path: String, _ filters: [(String, String)], cursor: String, next: String) -> View {
        var view: View = [:]
        view["firstPath"] = cursor.isEmpty ? nil : Percent.target(path, filters)
        view["nextPath"] = next.isEmpty ? nil : Percent.target(path, filters + [("cursor", next)])
        view["hasPager"] = !cursor.isEmpty || !next.isEmpty
        return view
    }
}
