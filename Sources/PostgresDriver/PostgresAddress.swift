/// Where a PostgreSQL server is and how to get in: a connection string, read the way its users write it.
///
/// The form is that of libpq (PostgreSQL manual, section 34.1.1.2) with one difference: the *last* `@` before the path
/// ends the user and password, so that `user@server:secret@host`, as some providers hand it out, is read as it is meant.
public struct PostgresAddress: Sendable {
    /// libpq's keywords and their values, decoded. Each keyword appears once.
    public private(set) var parameters: [String: String] = [:]

    /// Reads `postgres://user:password@host:port,host:port/database?keyword=value&…`; every part may be missing.
    /// - Throws: what is wrong with the text, without repeating any of it that may be secret.
    public init(_ text: String) throws(PostgresAddressError) {
        // libpq would read no further.
        guard !text.utf8.contains(0) else { throw .zeroByte }
        let schemes = ["postgres://", "postgresql://"]
        guard let scheme = schemes.first(where: text.hasPrefix) else { throw .scheme }
        let rest = text.dropFirst(scheme.count)
        let queryStart = rest.firstIndex(of: "?") ?? rest.endIndex
        let place = rest[..<queryStart]
        let pathStart = Self.pathStart(in: place)
        try readAuthority(place[..<pathStart])
        let path = place[pathStart...].dropFirst()
        if !path.isEmpty { parameters["dbname"] = try Self.decode(path, "the database's name") }
        if queryStart < rest.endIndex { try readQuery(rest[rest.index(after: queryStart)...]) }
    }

    /// The first `/` after the last `@`: a password may hold one that nobody escaped. A path has no `@` of its own in
    /// this form; one that needs it writes `%40`.
    private static func pathStart(in place: Substring) -> Substring.Index {
        let from = place.lastIndex(of: "@") ?? place.startIndex
        return place[from...].firstIndex(of: "/") ?? place.endIndex
    }

    private mutating func readAuthority(_ authority: Substring) throws(PostgresAddressError) {
        var hosts = authority
        if let at = authority.lastIndex(of: "@") {
            let user = authority[..<at]
            hosts = authority[authority.index(after: at)...]
            let colon = user.firstIndex(of: ":") ?? user.endIndex
            if colon > user.startIndex { parameters["user"] = try Self.decode(user[..<colon], "the user's name") }
            let password = user[colon...].dropFirst()
            if !password.isEmpty { parameters["password"] = try Self.decode(password, "the password") }
        }
        guard !hosts.isEmpty else { return }
        var names: [String] = []
        var ports: [String] = []
        for part in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            let (name, port) = try Self.hostAndPort(part)
            names.append(name)
            ports.append(port)
        }
        if names.contains(where: { !$0.isEmpty }) { parameters["host"] = names.joined(separator: ",") }
        if ports.contains(where: { !$0.isEmpty }) { parameters["port"] = ports.joined(separator: ",") }
    }

    private static func hostAndPort(
        _ part: Substring
    ) throws(PostgresAddressError) -> (host: String, port: String) {
        if part.first == "[" {
            guard let end = part.firstIndex(of: "]") else { throw .host }
            let after = part[part.index(after: end)...]
            guard after.isEmpty || after.first == ":" else { throw .host }
            return (String(part[part.index(after: part.startIndex)..<end]), try port(after.dropFirst()))
        }
        let colon = part.firstIndex(of: ":") ?? part.endIndex
        return (try decode(part[..<colon], "the host's name"), try port(part[colon...].dropFirst()))
    }

    private static func port(_ text: Substring) throws(PostgresAddressError) -> String {
        let isNumber = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        // What is no number may be part of a password.
        guard isNumber else { throw .port(nil) }
        guard text.isEmpty || UInt16(text).map({ $0 > 0 }) == true else { throw .port(String(text)) }
        return String(text)
    }

    private mutating func readQuery(_ query: Substring) throws(PostgresAddressError) {
        for pair in query.split(separator: "&") {
            guard let equals = pair.firstIndex(of: "=") else { throw .parameter }
            var keyword = try Self.decode(pair[..<equals], "a parameter's name")
            let value = try Self.decode(pair[pair.index(after: equals)...], "a parameter's value")
            if keyword == "ssl", value == "true" {
                (keyword, parameters["sslmode"]) = ("sslmode", "require")
            } else {
                parameters[keyword] = value
            }
        }
        try checkModes()
    }

    /// libpq would refuse these too, with words that don't name the setting.
    private func checkModes() throws(PostgresAddressError) {
        for (keyword, allowed) in Self.choices {
            guard let value = parameters[keyword], !allowed.contains(value) else { continue }
            throw .value(keyword: keyword, value: value, allowed: allowed)
        }
        for keyword in ["connect_timeout", "keepalives_idle", "tcp_user_timeout"] {
            guard let value = parameters[keyword], Int(value) == nil else { continue }
            throw .value(keyword: keyword, value: value, allowed: ["a whole number"])
        }
    }

    private static let choices: [(String, [String])] = [
        ("sslmode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
        ("target_session_attrs", ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]),
    ]

    /// Undoes percent-encoding. A `+` stays one, as in libpq.
    private static func decode(_ text: Substring, _ what: String) throws(PostgresAddressError) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), value > 0
            else { throw .encoding(what) }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .encoding(what) }
        return decoded
    }
}

extension PostgresAddress: CustomStringConvertible {
    /// The place without its password, for messages.
    public var description: String {
        let user = parameters["user"].map { $0 + (parameters["password"] == nil ? "@" : ":***@") } ?? ""
        let hosts = (parameters["host"] ?? "").split(separator: ",", omittingEmptySubsequences: false)
        let ports = (parameters["port"] ?? "").split(separator: ",", omittingEmptySubsequences: false)
        let places = hosts.indices.map { index in
            let name = hosts[index].contains(":") ? "[\(hosts[index])]" : String(hosts[index])
            let port = ports.count > index ? ports[index] : ""
            return port.isEmpty ? name : "\(name):\(port)"
        }
        return "postgres://\(user)\(places.joined(separator: ","))/\(parameters["dbname"] ?? "")"
    }
}

/// Why a connection string can't be read.
public enum PostgresAddressError: Error, Hashable, Sendable {
    case scheme
    case zeroByte
    case host
    /// The number, if it is one.
    case port(String?)
    case encoding(String)
    case parameter
    case value(keyword: String, value: String, allowed: [String])
}

extension PostgresAddressError: CustomStringConvertible {
    /// Whether a value may be shown: one that holds more may be part of a password that was not escaped.
    private static func isWord(_ value: String) -> Bool {
        value.utf8.count <= 20
            && value.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
            }
    }

    /// What is wrong and how to write it.
    public var description: String {
        switch self {
        case .scheme: "must begin with postgres:// or postgresql://"
        case .zeroByte: "holds a zero byte: leave it out"
        case .host: "has a '[' in its host without the ']' that ends the address"
        case .port(let text?): "has the port '\(text)': write a number from 1 to 65535"
        case .port(nil):
            "has a port that is no number: write one from 1 to 65535; in a password write / as %2F and ? as %3F"
        case .encoding(let what): "has a broken %-escape in \(what): write % itself as %25"
        case .parameter: "has a parameter without a value: write keyword=value; in a password write ? as %3F"
        case .value(let keyword, let value, let allowed):
            "has \(Self.isWord(value) ? "\(keyword)=\(value)" : "another \(keyword)"): write \(allowed.joined(separator: ", "))"
        }
    }
}
