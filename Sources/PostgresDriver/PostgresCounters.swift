import SQLDatabase
import Synchronization

/// What all connections to one database count. Read from any thread; values may be a moment old, never torn.
final class PostgresCounters: Sendable {
    let connected = Atomic<Int>(0)
    let failed = Atomic<Int>(0)
    let lost = Atomic<Int>(0)
    let busy = Atomic<Int>(0)
    let conflicts = Atomic<Int>(0)

    func statistics() -> [SQLStatistic] {
        let totals: [(String, String, Int)] = [
            ("database_connect_total", "Connections made.", connected.load(ordering: .relaxed)),
            ("database_connect_failed_total", "Connections that could not be made.", failed.load(ordering: .relaxed)),
            ("database_connection_lost_total", "Connections that broke.", lost.load(ordering: .relaxed)),
            (
                "database_busy_total", "Statements given up because another connection held what they needed.",
                busy.load(ordering: .relaxed)
            ),
            (
                "database_conflict_total", "Deadlocks and other conflicts resolved against us.",
                conflicts.load(ordering: .relaxed)
            ),
        ]
        return totals.map { SQLStatistic(name: $0.0, help: $0.1, isCounter: true, value: Double($0.2)) }
    }
}
