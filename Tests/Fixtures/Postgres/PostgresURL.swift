/// A connection URL, taken apart only as far as to name another database in it.
///
/// Form: PostgreSQL manual, 34.1.1.2 "Connection URIs".
package struct PostgresURL: Sendable {
    /// Scheme, user, password, hosts and ports, as written.
    private let address: String
    /// Settings without the database name, as written.
    private let settings: [String]
    /// The database it names, as written; empty for none.
    package let database: String

    /// A server on this machine, without TLS.
    init(port: Int, user: String, password: String?) {
        let secret = password.map { ":" + Self.encoded($0) } ?? ""
        address = "postgres://\(Self.encoded(user))\(secret)@127.0.0.1:\(port)"
        settings = ["sslmode=disable"]
        database = ""
    }

    private init(address: String, settings: [String], database: String) {
        self.address = address
        self.settings = settings
        self.database = database
    }

    /// The one host and port it names.
    package func endpoint() throws(FixtureError) -> (host: String, port: Int) {
        let place = address.split(separator: "@").last.map(String.init) ?? address
        let parts = place.trimmingPrefix("postgres://").split(separator: ":")
        guard !place.contains(","), let host = parts.first, parts.count <= 2 else {
            throw FixtureError("one host with a TCP port is needed for a relay")
        }
        return (String(host), parts.count == 2 ? Int(parts[1]) ?? 5432 : 5432)
    }

    /// The same server by way of a port of 127.0.0.1.
    package func throughRelay(port: Int) -> PostgresURL {
        let user = address.split(separator: "@", omittingEmptySubsequences: false).dropLast().joined(separator: "@")
        return PostgresURL(
            address: (user.isEmpty ? "postgres://" : user + "@") + "127.0.0.1:\(port)", settings: settings,
            database: database)
    }

    /// Nil when `text` has not the form of such a URL.
    package init?(_ text: String) {
        guard let scheme = ["postgres://", "postgresql://"].first(where: { text.hasPrefix($0) }) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        address = scheme + rest[..<end]
        database = String(rest[end...].drop { $0 == "/" }.prefix { $0 != "?" })
        let query = rest[end...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).dropFirst()
        settings = (query.first ?? "").split(separator: "&").map { String($0) }.filter { !$0.hasPrefix("dbname=") }
    }

    /// The URL of another database on the same server.
    package func naming(_ database: String) -> String {
        let query = settings.isEmpty ? "" : "?" + settings.joined(separator: "&")
        return "\(address)/\(Self.encoded(database))\(query)"
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                String(UnicodeScalar(byte))
            default:
                "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
