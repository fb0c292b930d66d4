public import ProxySettings
public import ProxyStorage
import SQLDatabase
import SQLStorage

/// Looks into a database without serving from it, also beside a server that does.
public enum DatabaseInspection {
    /// Checks every invariant of the database that the settings name; changes nothing.
    /// - Throws: `StartupError` when it can't be read, or has another schema than this program's.
    public static func verify(_ settings: ServerSettings) async throws -> [InvariantFinding] {
        try await withStorage(settings) { try await $0.verify() }
    }

    /// Sets counters right that differ from their rows, and has the audit tell of it; or only tells which those are.
    /// - Throws: `StartupError` as ``verify(_:)``.
    public static func repair(_ settings: ServerSettings, isDryRun: Bool) async throws -> [CounterRepair] {
        try await withStorage(settings) { storage in
            try await storage.recorded(as: AuditedCommand.repair.event(settings.audit)).repair(isDryRun: isDryRun)
        }
    }

    static func withStorage<Value: Sendable>(
        _ settings: ServerSettings, _ body: (SQLStorage) async throws -> Value
    ) async throws -> Value {
        let place = try DatabasePlace(settings.database)
        if case .memory = place {
            throw StartupError("DATABASE_PATH :memory: is in no other process's reach: name a file")
        }
        do {
            let pool = try await place.connect(settings.database, for: .looking)
            return try await pool.closing { try await body(SQLStorage.inspect(pool)) }
        } catch {
            if error is StartupError || error is KeyRotationError { throw error }
            if case .server = place { throw place.unusable(error) }
            throw StartupError("\(place.named) can't be read: \(error)")
        }
    }
}
