import ProxyDomain

/// Which part of a list is wanted, and where the next part begins.
struct Page<ID: TypedIdentifier> {
    static var parameters: [String] { ["limit", "cursor"] }

    /// 1…1000.
    let limit: Int
    let cursor: ID?

    init(_ query: QueryFields) throws(ManagementFailure) {
        limit = try query.integer("limit", in: 1...1000) ?? 100
        cursor = try query.identifier("cursor")
    }

    /// Reads the page with `read`, and looks whether anything follows it.
    /// - Parameters:
    ///   - path: where the list is.
    ///   - filters: what the link to the next page must repeat.
    func answer<Item>(
        at path: String, filters: [(name: String, value: String)] = [], id: (Item) -> ID,
        json: (Item) -> JSONValue, read: (_ after: ID?, _ limit: Int) async throws -> [Item]
    ) async throws -> Answer {
        let items = try await read(cursor, limit)
        var fields: [(name: String, value: String)] = []
        if items.count == limit, let last = items.last, try await !read(id(last), 1).isEmpty {
            fields = [link(to: id(last), at: path, filters: filters)]
        }
        return .json(.array(items.map(json)), fields: fields)
    }

    /// Tells where the page after `cursor` is (RFC 8288).
    func link(
        to cursor: ID, at path: String, filters: [(name: String, value: String)]
    ) -> (name: String, value: String) {
        let query = [("limit", "\(limit)"), ("cursor", cursor.text)] + filters
        let link = query.map { "\($0.0)=\(QueryFields.encoded($0.1))" }.joined(separator: "&")
        return ("Link", "<\(path)?\(link)>; rel=\"next\"")
    }
}
