import ProxySettings
import ProxyStorage
import SQLDatabase
import SQLStorage

extension ServerDoctor {
    /// The database, and the key that what it holds is sealed under.
    func databaseAndKey() async -> [DoctorFinding] {
        let place: DatabasePlace
        do {
            place = try DatabasePlace(settings.database)
        } catch {
            return [.failed("database", "\(error)", remedy: "correct DATABASE_URL"), await encryptionKey(nil)]
        }
        switch place {
        case .memory:
            let found = "\(place.named) is made at each start, and is gone at its end"
            return [.ok("database", found), await encryptionKey(nil)]
        case .file(let path) where !SecretFile.exists(path):
            let found = "\(path) is not there: it will be made at the first start"
            return [.ok("database", found), await encryptionKey(nil)]
        case .file, .server: return await existing(place)
        }
    }

    private func existing(_ place: DatabasePlace) async -> [DoctorFinding] {
        let pool: ConnectionPool
        do {
            pool = try await place.connect(settings.database, for: .looking)
        } catch {
            let found = place.unusable(error).description
            let remedy = "see \(Self.setting(of: place)), and that what it names is there and is this program's"
            return [.failed("database", found, remedy: remedy), await encryptionKey(nil)]
        }
        var findings = [DoctorFinding.ok("database", "\(place.named) can be reached")]
        findings += await engine(place, pool)
        let (finding, storage) = await schema(of: pool)
        findings.append(finding)
        if let storage {
            findings.append(await unfinishedCopy(in: storage))
            findings.append(await move(of: storage))
            findings.append(await drift(in: storage))
        }
        findings.append(await encryptionKey(storage))
        await pool.close()
        return findings
    }

    private static func setting(of place: DatabasePlace) -> String {
        if case .server = place { "DATABASE_URL" } else { "DATABASE_PATH" }
    }

    /// - Returns: the storage where there is one with this program's schema.
    private func schema(of pool: ConnectionPool) async -> (DoctorFinding, SQLStorage?) {
        do throws(MigrationError) {
            let storage = try await SQLStorage.inspect(pool)
            return (.ok("schema", "is the one that this program knows"), storage)
        } catch {
            switch error {
            case .olderSchema(found: 0, _):
                return (.ok("schema", "is not there: it will be made at the first start"), nil)
            case .olderSchema(let found, let known):
                return (
                    .warning(
                        "schema", "has version \(found), this program needs \(known): the next start migrates it",
                        remedy: "back the database up before that: an older program refuses it afterwards"), nil
                )
            case .newerSchema, .differs, .gap:
                return (.failed("schema", "\(error)", remedy: "change nothing in it by hand"), nil)
            case .database(let cause):
                return (.failed("schema", "can't be read: \(cause)", remedy: "look at the database's log"), nil)
            }
        }
    }

    private func unfinishedCopy(in storage: SQLStorage) async -> DoctorFinding {
        let name = "copy"
        do throws(StorageError) {
            guard let copy = try await storage.unfinishedCopy() else { return .ok(name, "none is unfinished") }
            return .failed(
                name, "the database holds a part of \(copy.source), whose copy has not ended",
                remedy: "run the same llm-proxy db copy again: it goes on where it was")
        } catch {
            return .failed(name, "can't be looked for: \(error)", remedy: "look at the database's log")
        }
    }

    private func move(of storage: SQLStorage) async -> DoctorFinding {
        let name = "move"
        do throws(StorageError) {
            guard let move = try await storage.move() else { return .ok(name, "the database stays where it is") }
            if move.state == .moved {
                return .failed(
                    name, "the database has moved to \(move.target)",
                    remedy: "serve from there: set DB_DRIVER, DATABASE_PATH and DATABASE_URL to it")
            }
            return .warning(
                name, "the database is being copied to \(move.target), and will move there",
                remedy: "wait for llm-proxy db copy --live, run it again, or end it with --abandon")
        } catch {
            return .failed(name, "can't be looked for: \(error)", remedy: "look at the database's log")
        }
    }

    private func drift(in storage: SQLStorage) async -> DoctorFinding {
        let name = "counters"
        do throws(StorageError) {
            let drift = try await storage.drift()
            guard drift != 0 else { return .ok(name, "are what the rows say") }
            return .failed(
                name, "of tokens differ from their rows by \(drift) in all",
                remedy: "look with llm-proxy db verify, mend with llm-proxy db repair")
        } catch {
            return .failed(name, "can't be compared with rows: \(error)", remedy: "look at the database's log")
        }
    }
}
