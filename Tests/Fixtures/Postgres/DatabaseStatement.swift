/// The statements that make and drop a database.
enum DatabaseStatement {
    /// - Parameter strategy: how to copy the template; nil for the server's choice. Known since PostgreSQL 15.
    static func create(_ name: String, template: String, strategy: String? = nil) -> String {
        let copy = strategy.map { " STRATEGY = \($0)" } ?? ""
        return "CREATE DATABASE \(quoted(name)) TEMPLATE = \(quoted(template))\(copy)"
    }

    static func drop(_ name: String) -> String { "DROP DATABASE IF EXISTS \(quoted(name)) WITH (FORCE)" }

    /// A name that no other call has, in this process or another: 128 random bits.
    static func uniqueName() -> String {
        "test_" + String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
