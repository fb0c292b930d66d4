import Foundation
import SQLiteDriver
import Testing

@Suite("The lock of a server on its file")
struct ServerLockTests {
    @Test("keeps a second server out, by whatever path it comes, until the first is gone")
    func exclusive() async throws {
        let folder = TemporaryFolder()
        var first: ServerLock? = try ServerLock(forDatabaseAt: folder.database)
        #expect(first?.path.hasSuffix("/store/proxy.db.lock") == true)
        let error = #expect(throws: ServerLockError.self) { try ServerLock(forDatabaseAt: folder.database) }
        guard case .held(let database, _, let holder) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect((database, holder) == (folder.database, getpid()))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link", withDestinationPath: folder.path + "/store")
        #expect(throws: ServerLockError.self) { try ServerLock(forDatabaseAt: folder.path + "/link/proxy.db") }
        first = nil
        // A child that another test is starting may hold a copy until it has become its own program.
        try await eventually { (try? ServerLock(forDatabaseAt: folder.database)) != nil }
    }

    @Test("is freed by the kernel when its process is killed")
    func killed() async throws {
        let folder = TemporaryFolder()
        let path = try ServerLock(forDatabaseAt: folder.database).path
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        holder.arguments = ["--no-fork", path, "sleep", "60"]
        try holder.run()
        try await eventually { (try? ServerLock(forDatabaseAt: folder.database)) == nil }
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        try await eventually { (try? ServerLock(forDatabaseAt: folder.database)) != nil }
    }

    @Test("says what is wrong with a place that can't be locked")
    func unusable() throws {
        let error = #expect(throws: ServerLockError.self) { try ServerLock(forDatabaseAt: "/proc/none/proxy.db") }
        guard case .unusable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
