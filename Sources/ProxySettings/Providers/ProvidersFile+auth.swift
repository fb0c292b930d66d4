extension ProvidersFile {
    private static let authRemedy = "write auth: bearer, auth: {header: x-api-key} or auth: {query: key}"

    /// Where the provider wants its key: the word `bearer`, or the name of a field or of a parameter of the query.
    mutating func readAuth(_ node: YAMLNode, _ place: String) -> ProviderAuth {
        if case .scalar(let text, _) = node.content {
            if text != "bearer" {
                fault(node.line, "\(place) must be bearer, or name a header or a query", Self.authRemedy, found: text)
            }
            return .bearer
        }
        guard case .mapping(let entries) = node.content, entries.count == 1, let entry = entries.first else {
            fault(node.line, "\(place) must be bearer, or name one header or one query", Self.authRemedy)
            return .bearer
        }
        let key = "\(place).\(SettingFault.printable(entry.key))"
        switch entry.key {
        case "header":
            return .header(readName(entry.value, key, Self.isCredentialField, "no field that frames a message"))
        case "query": return .query(readName(entry.value, key, { _ in true }, "letters, digits, _, - or ."))
        default:
            refuse(entry, in: place)
            return .bearer
        }
    }

    private mutating func readName(
        _ node: YAMLNode, _ place: String, _ isGood: (String) -> Bool, _ rule: String
    ) -> String {
        guard let text = text(node, place) else { return "" }
        if !Self.isName(text) || !isGood(text) {
            fault(
                node.line, "\(place) must be a name of 1…64 letters, digits, _, - or ., and \(rule)", Self.authRemedy,
                found: text)
        }
        return text
    }

    /// A key in one of these would break the message, or end at the next hop.
    private static func isCredentialField(_ name: String) -> Bool {
        ![
            "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection",
            "keep-alive",
            "proxy-connection", "proxy-authorization", "proxy-authenticate", "te", "trailer", "upgrade", "expect",
            "accept-encoding", "x-request-id",
        ].contains(name.lowercased())
    }
}
