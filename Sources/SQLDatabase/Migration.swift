/// One numbered step of the schema. Never edited once released.
public struct Migration: Sendable {
    /// 1, 2, 3, … without gaps.
    public let version: Int64
    public let name: String
    private let text: @Sendable (Dialect.SchemaTerms) -> String

    /// - Parameter text: statements separated by semicolons, in the words of the engine at hand.
    public init(_ version: Int64, _ name: String, _ text: @escaping @Sendable (Dialect.SchemaTerms) -> String) {
        self.version = version
        self.name = name
        self.text = text
    }

    /// The statements for one engine.
    public func script(for dialect: Dialect) -> String { text(dialect.terms) }

    /// 16 hexadecimal digits that change with any byte of the script: FNV-1a, 64 bits. Guards against mistakes, not
    /// against malice.
    public func checksum(for dialect: Dialect) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in script(for: dialect).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Why the schema of a database is not one to work with. Nothing was changed.
public enum MigrationError: Error, Hashable, Sendable {
    /// The database was made by a newer program.
    case newerSchema(found: Int64, known: Int64)
    /// The database needs a migration that this caller may not run.
    case olderSchema(found: Int64, known: Int64)
    /// A migration that ran on this database was not the one we know.
    case differs(version: Int64, foundName: String, knownName: String)
    /// A migration is missing in the database although a later one ran.
    case gap(version: Int64)
    case database(SQLError)
}

extension MigrationError: CustomStringConvertible {
    /// What is wrong and what to do, for the operator.
    public var description: String {
        switch self {
        case .newerSchema(let found, let known):
            "the database has schema version \(found), this program knows up to \(known): "
                + "run the program that made it, or a newer one"
        case .olderSchema(let found, let known):
            "the database has schema version \(found), this program needs \(known): migrate it with llm-proxy db migrate, or start the server once"
        case .differs(let version, let foundName, let knownName):
            "migration \(version) of the database ('\(foundName)') is not the one this program knows ('\(knownName)'): "
                + "the database comes from another build; restore a backup or use the build that made it"
        case .gap(let version):
            "migration \(version) is not recorded in the database although later ones are: restore a backup"
        case .database(let error): error.description
        }
    }
}
