import ProxyDomain
public import ProxySettings
public import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver

/// Looks into a database without serving from it, also beside a server that does.
public enum DatabaseInspection {
    /// Checks every invariant of the database that the settings name; changes nothing.
    /// - Throws: `StartupError` when it can't be read, or has another schema than this program's.
    public static func verify(_ settings: ServerSettings) async throws -> [InvariantFinding] {
        guard case .file(let path) = try DatabasePlace(settings.database) else {
            throw StartupError("DATABASE_PATH :memory: is in no other process's reach: name a file")
        }
        do {
            let pool = try await SQLiteDatabase.open(
                .file(path), limits: .init(readers: 1, wait: settings.database.wait),
                busyTimeout: settings.database.wait, mayCreate: false)
            let storage: SQLStorage
            do {
                storage = try await SQLStorage.inspect(pool)
            } catch {
                await pool.close()
                throw error
            }
            do {
                let findings = try await storage.verify()
                await storage.close()
                return findings
            } catch {
                await storage.close()
                throw error
            }
        } catch {
            throw StartupError("DATABASE_PATH \(path) can't be read: \(error)")
        }
    }
}
