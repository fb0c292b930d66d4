import ProxyDomain
import ProxyManagement

/// One request to the management API.
struct ManagementCall: Sendable {
    enum Method: String {
        case get = "GET"
        case post = "POST"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    let method: Method
    /// Path and query.
    let target: String
    let body: JSONValue?
    /// The state that is to be changed, as an answer named it; `nil` for any.
    let expectedTag: String?

    /// - Parameters:
    ///   - path: the path; or path and query, when `query` is empty.
    ///   - query: names and values as they are typed, without escapes; those without a value are left out.
    init(
        _ method: Method, _ path: String, query: [(String, String?)] = [], body: JSONValue? = nil,
        expectedTag: String? = nil
    ) {
        let given = query.compactMap { name, value in
            value.map { "\(PercentEncoding.encoded(name))=\(PercentEncoding.encoded($0))" }
        }
        self.method = method
        self.body = body
        self.expectedTag = expectedTag
        target = given.isEmpty ? path : "\(path)?\(given.joined(separator: "&"))"
    }
}
