import Glibc
import Logging
import ProxyDomain
import ProxyLedger
import ProxyManagement
import ProxySettings
import ProxyStorage
import SQLStorage
import SQLiteDriver

/// The folder of the journals that servers on this machine keep while their database is away, one for each.
struct SpoolFolder {
    private static let suffix = ".spool"

    let path: String
    let limit: Int

    /// `nil` when requests are to wait for the database.
    init?(_ settings: DatabaseSettings) {
        guard settings.outage == .spool else { return nil }
        path = settings.spoolPath
        limit = settings.spoolMaxSize
    }

    /// This server's journal.
    func makeJournal(for instance: InstanceID) throws(StartupError) -> SpoolJournal {
        let file = "\(path)/\(instance)\(Self.suffix)"
        do {
            try SQLiteDatabase.prepareFolder(of: file)
            return try SpoolJournal(at: file, limit: limit)
        } catch {
            throw StartupError("SPOOL_PATH \(path) can't be used (\(error)): name a folder that can be written")
        }
    }

    /// Whether a server has left something behind.
    var isEmpty: Bool { files.isEmpty }

    /// Writes to the database what servers left behind that were killed; living ones have their journals locked.
    func recover(to storage: any Storage, now: @escaping @Sendable () -> Timestamp, logger: Logger)
        async throws(StartupError)
    {
        for file in files {
            do {
                let journal = try SpoolJournal(at: file, limit: limit)
                let count = try await SpoolingStore.recover(journal, to: storage, now: now)
                guard count > 0 else { continue }
                logger.warning(
                    "what a server that was killed had served without the database was written to it",
                    metadata: ["spool": "\(file)", "batches": "\(count)"])
            } catch let error as SpoolError where error.kind == .inUse {
                continue
            } catch {
                throw StartupError(
                    "SPOOL_PATH: \(file) can't be written to the database (\(error)): start with the DATABASE_URL that it was "
                        + "written for, or move it away, which loses what it counts")
            }
        }
    }

    private var files: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(Self.suffix) { names.append("\(path)/\(name)") }
        }
        return names.sorted()
    }
}

extension SpoolingStore {
    /// A store that keeps a journal of `foundation`'s, and tells of outages in the log.
    convenience init(
        _ foundation: StorageFoundation, _ journal: SpoolJournal, _ settings: DatabaseSettings,
        now: @escaping @Sendable () -> Timestamp, logger: Logger
    ) {
        self.init(
            foundation.storage, journal: journal, patience: min(.milliseconds(500), settings.wait / 2),
            probe: { (try? await foundation.storage.instances()) != nil }, now: now
        ) { event in
            switch event {
            case .outageBegan(let error):
                logger.error(
                    "the database is away: requests of tokens without limits are served from the spool",
                    metadata: ["spool": "\(journal.path)", "detail": "\(String(reflecting: error))"])
            case .outageEnded(let batches):
                logger.warning(
                    "the database is back, and has what was spooled", metadata: ["batches": "\(batches)"])
            case .rejected(let error):
                logger.error(
                    "the database does not take what was spooled: nothing goes on until that is mended",
                    metadata: ["spool": "\(journal.path)", "detail": "\(String(reflecting: error))"])
            case .failed(let error): logger.error("the spool can't be used", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// What waits for the database.
    var families: [MetricFamily] {
        let backlog = backlog
        func gauge(_ name: String, _ help: String, _ value: Int) -> MetricFamily {
            MetricFamily(
                name: "llm_proxy_spool_\(name)", help: help, kind: .gauge,
                samples: [.init(labels: [:], value: .number(Double(value)))])
        }
        return [
            gauge("batches", "Ledger batches that wait for the database in the spool.", backlog.batches),
            gauge("bytes", "Size of the spool.", backlog.bytes),
        ]
    }
}
