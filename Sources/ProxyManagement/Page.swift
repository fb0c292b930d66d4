import ProxyDomain
import ProxyStorage

/// Which part of a list is wanted, and where the next part begins.
struct Page<ID: TypedIdentifier> {
    static var parameters: [String] { ["limit", "cursor"] }

    /// 1…1000.
    let limit: Int
    let cursor: ID?
    /// What the last of the page before was sorted by, where that isn't its identifier.
    private let value: String?

    init(_ query: QueryFields, isSorted: Bool = false) throws(ManagementFailure) {
        limit = try query.integer("limit", in: 1...1000) ?? 100
        guard isSorted, let text = query["cursor"], text.utf8.count > 36 else {
            cursor = try query.identifier("cursor")
            value = nil
            return
        }
        // By bytes: a name may begin with what makes one character with the point.
        let bytes = Array(text.utf8)
        guard let id = ID(String(decoding: bytes.prefix(36), as: UTF8.self)), bytes[36] == UInt8(ascii: "."),
            let value = String(validating: bytes.dropFirst(37), as: UTF8.self), !bytes.contains(0)
        else {
            throw .input(.invalid(name: "cursor", rule: "must be as a Link to the next page has it"))
        }
        cursor = id
        self.value = value
    }

    /// Where a sorted list goes on.
    var listCursor: ListCursor<ID>? { cursor.map { ListCursor(id: $0, value: value ?? $0.text) } }

    /// As ``answer(at:filters:id:json:read:)``, of a list that is sorted by something else than identifiers.
    func answer<Item>(
        at path: String, filters: [(name: String, value: String)], after place: (Item) -> ListCursor<ID>,
        json: (Item) -> JSONValue, read: (_ after: ListCursor<ID>?, _ limit: Int) async throws -> [Item]
    ) async throws -> Answer {
        let items = try await read(listCursor, limit)
        var fields: [(name: String, value: String)] = []
        if items.count == limit, let last = items.last.map(place), try await !read(last, 1).isEmpty {
            let isPlain = last.value == last.id.text
            fields = [
                link(toText: isPlain ? last.id.text : "\(last.id.text).\(last.value)", at: path, filters: filters)
            ]
        }
        return .json(.array(items.map(json)), fields: fields)
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
    ) -> (name: String, value: String) { link(toText: cursor.text, at: path, filters: filters) }

    private func link(
        toText cursor: String, at path: String, filters: [(name: String, value: String)]
    ) -> (name: String, value: String) {
        let query = [("limit", "\(limit)"), ("cursor", cursor)] + filters
        let link = query.map { "\($0.0)=\(PercentEncoding.encoded($0.1))" }.joined(separator: "&")
        return ("Link", "<\(path)?\(link)>; rel=\"next\"")
    }
}
