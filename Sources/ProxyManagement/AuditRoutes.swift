import ProxyDomain
import ProxyStorage

/// `/manage/audit`: who did what, and who was not let.
struct AuditRoutes: Sendable {
    private let dependencies: ManagementDependencies

    init(_ dependencies: ManagementDependencies) { self.dependencies = dependencies }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/manage/audit", .event, list),
            Endpoint("GET", "/manage/audit/{id}", .event, show),
        ]
    }

    private static let names = [
        "action", "actor", "outcome", "method", "path", "request_id", "correlation_id", "client_ip", "project_id",
        "token_id", "start_time", "end_time", "search", "page", "page_size",
    ]
    private static let metadataPrefix = "metadata."
    /// Beyond it a database would walk for long over what nobody reads.
    private static let lastPage = 10_000

    private func list(_ call: Call) async throws -> Answer {
        let query = try QueryFields(of: call, known: Self.names, prefixes: [Self.metadataPrefix])
        let size = try query.integer("page_size", in: 1...100) ?? 20
        let page = try query.integer("page", in: 1...Self.lastPage) ?? 1
        let found = try await dependencies.storage.auditEvents(
            Self.filter(query), skipping: (page - 1) * size, limit: size)
        let pages = (found.total + size - 1) / size
        return .json(
            .object([
                ("events", .array(found.events.map(\.json))),
                (
                    "pagination",
                    .object([
                        ("page", .integer(page)), ("page_size", .integer(size)), ("total_count", .integer(found.total)),
                        ("total_pages", .integer(pages)), ("has_next", .bool(page < pages)),
                        ("has_prev", .bool(page > 1)),
                    ])
                ),
            ]))
    }

    private func show(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        return .json(try await dependencies.storage.auditEvent(call.identifier()).json)
    }

    private static func filter(_ query: QueryFields) throws(ManagementFailure) -> AuditFilter {
        var filter = AuditFilter()
        (filter.action, filter.actor) = (query["action"], query["actor"])
        filter.outcome = try query["outcome"].map { text throws(ManagementFailure) in
            guard let outcome = AuditEvent.Outcome(rawValue: text) else {
                throw .input(.invalid(name: "outcome", rule: "must be success or refused"))
            }
            return outcome
        }
        (filter.method, filter.path) = (query["method"], query["path"])
        (filter.requestID, filter.correlationID) = (query["request_id"], query["correlation_id"])
        filter.clientAddress = query["client_ip"]
        filter.projectID = try query.identifier("project_id")
        filter.tokenID = try query.identifier("token_id")
        (filter.since, filter.until) = (try query.instant("start_time"), try query.instant("end_time"))
        filter.metadata = try metadata(query)
        filter.words = try query["search"].map { text throws(ManagementFailure) in
            guard !SearchWords.of(text).isEmpty else {
                throw .input(.invalid(name: "search", rule: "must hold a letter or a digit: it is a search for words"))
            }
            return text
        }
        return filter
    }

    private static func metadata(_ query: QueryFields) throws(ManagementFailure) -> (name: String, value: String)? {
        let given = query.names(beginningWith: metadataPrefix)
        guard let whole = given.first, let value = query[whole] else { return nil }
        guard given.count == 1 else {
            throw .input(
                .invalid(name: given[1], rule: "must not be sent beside '\(whole)': one is compared at a time"))
        }
        let name = whole.dropFirst(metadataPrefix.count)
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, !name.isEmpty else {
            throw .input(.invalid(name: whole, rule: "must name a member in letters, digits, '_' and '-'"))
        }
        return (String(name), value)
    }
}

extension AuditEvent {
    /// The event as the API shows it, on one line.
    package var jsonText: String { json.text }

    fileprivate var json: JSONValue {
        .object([
            ("id", .string(id.text)), ("timestamp", .string(at.text)), ("action", .string(action)),
            ("actor", .string(actor)), ("outcome", .string(outcome.rawValue)), ("method", .string(method)),
            ("path", .string(path)), ("request_id", .string(requestID)), ("correlation_id", .text(correlationID)),
            ("client_ip", .string(clientAddress)), ("project_id", .text(projectID?.text)),
            ("token_id", .text(tokenID?.text)),
            ("metadata", .object(metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
        ])
    }
}
