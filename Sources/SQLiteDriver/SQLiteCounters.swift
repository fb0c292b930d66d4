import SQLDatabase
import Synchronization

/// What all connections to one database count. Read from any thread; values may be a moment old, never torn.
final class SQLiteCounters: Sendable {
    /// How often a statement gave up because another connection held the file.
    let busy = Atomic<Int>(0)
    let checkpoints = Atomic<Int>(0)
    /// Frames in the write-ahead log after the last commit.
    let walFrames = Atomic<Int>(0)
    /// How often the disk was asked to keep what the writer's log holds.
    let syncs = Atomic<Int>(0)
    /// How long that took, all together.
    let syncNanoseconds = Atomic<Int>(0)
    /// The writer's page cache, after its last commit.
    let cacheUsedBytes = Atomic<Int>(0)
    let cacheHits = Atomic<Int>(0)
    let cacheMisses = Atomic<Int>(0)

    func synced(in duration: Duration) {
        let (seconds, attoseconds) = duration.components
        syncs.add(1, ordering: .relaxed)
        syncNanoseconds.add(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000), ordering: .relaxed)
    }

    func statistics() -> [SQLStatistic] {
        [
            SQLStatistic(
                name: "database_busy_total", help: "Statements given up because another connection held the file.",
                isCounter: true, value: Double(busy.load(ordering: .relaxed))),
            SQLStatistic(
                name: "database_checkpoint_total", help: "Automatic checkpoints of the write-ahead log begun.",
                isCounter: true, value: Double(checkpoints.load(ordering: .relaxed))),
            SQLStatistic(
                name: "database_wal_frames", help: "Pages in the write-ahead log after the last commit.",
                isCounter: false, value: Double(walFrames.load(ordering: .relaxed))),
            SQLStatistic(
                name: "database_sync_total", help: "Times the disk was asked to keep what the writer's log holds.",
                isCounter: true, value: Double(syncs.load(ordering: .relaxed))),
            SQLStatistic(
                name: "database_sync_seconds_total",
                help: "Time that the disk took to keep what the writer's log holds.",
                isCounter: true, value: Double(syncNanoseconds.load(ordering: .relaxed)) / 1e9),
            SQLStatistic(
                name: "database_cache_used_bytes", help: "Memory of the writer's page cache.", isCounter: false,
                value: Double(cacheUsedBytes.load(ordering: .relaxed))),
            SQLStatistic(
                name: "database_cache_hit_total", help: "Pages the writer found in its cache.", isCounter: true,
                value: Double(cacheHits.load(ordering: .relaxed))),
            SQLStatistic(
                name: "database_cache_miss_total", help: "Pages the writer had to read.", isCounter: true,
                value: Double(cacheMisses.load(ordering: .relaxed))),
        ]
    }
}
