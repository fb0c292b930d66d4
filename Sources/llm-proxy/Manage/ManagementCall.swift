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
        let given = query.compactMap { name, value in value.map { "\(name.escapedForQuery)=\($0.escapedForQuery)" } }
        self.method = method
        self.body = body
        self.expectedTag = expectedTag
        target = given.isEmpty ? path : "\(path)?\(given.joined(separator: "&"))"
    }
}

extension String {
    /// What stands for the text in a query (RFC 3986 section 2.1).
    fileprivate var escapedForQuery: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
