import ProxyManagement

/// Text for people.
extension JSONValue {
    /// An object as `name: value` lines; those of objects within it as `outer.name: value`.
    var lines: [String] { flattened(under: "") }

    private func flattened(under name: String) -> [String] {
        guard case .members(let members) = self else { return ["\(name): \(cell)".printable] }
        return members.flatMap { member in
            member.value.flattened(under: name.isEmpty ? member.name : "\(name).\(member.name)")
        }
    }

    /// The value in a line or a column; `-` for nothing.
    var cell: String {
        switch self {
        case .null: "-"
        case .bool(let flag): flag ? "yes" : "no"
        case .number(let text): text
        case .string(let text): text.isEmpty ? "-" : text
        case .array(let items): items.isEmpty ? "-" : items.map(\.cell).joined(separator: ", ")
        case .members: text
        }
    }

    /// An instant without `T`, in UTC; `-` for none.
    /// - Parameter length: how many of its characters: 16 up to the minute, 19 up to the second.
    func instant(_ length: Int) -> String {
        guard let string else { return cell }
        return String(string.prefix(length).map { $0 == "T" ? " " : $0 })
    }
}
