public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func figures() async -> [DatabaseFigure] {
        let connector = pool.connector
        let engine = DatabaseFigure(
            name: "database_info", help: "The engine behind the storage; always 1.", kind: .gauge, value: 1,
            labels: ["driver": driver])
        var figures = [engine] + poolFigures + ledgerMetrics.figures
        figures += timings.observed.map { observed in
            observed.histogram.figure(
                "database_operation_seconds", "Time a storage call took, its wait for a connection included.",
                labels: ["operation": observed.operation.rawValue])
        }
        figures += connector.statistics().map(DatabaseFigure.init)
        let asked = try? await pool.read { try connector.statistics(from: $0) }
        figures += (asked ?? []).map(DatabaseFigure.init)
        return figures
    }

    private var poolFigures: [DatabaseFigure] {
        let counters = pool.counters
        let gauges: [(String, String, Int)] = [
            ("database_pool_in_use_connections", "Connections at work.", counters.inUse),
            ("database_pool_idle_connections", "Connections open without work.", counters.idle),
            ("database_pool_waiting_calls", "Calls that wait for a connection.", counters.waiting),
        ]
        let totals: [(String, String, Int)] = [
            ("database_pool_opened_total", "Connections opened.", counters.opened),
            ("database_pool_closed_total", "Connections closed.", counters.closed),
        ]
        let age = counters.oldest.map { (Monotonic.now() - $0).inSeconds } ?? 0
        let oldest = DatabaseFigure(
            name: "database_pool_oldest_connection_seconds",
            help: "Age of the pooled connection that is open longest.", kind: .gauge, value: age)
        return [oldest]
            + gauges.map { DatabaseFigure(name: $0, help: $1, kind: .gauge, value: Double($2)) }
            + totals.map { DatabaseFigure(name: $0, help: $1, kind: .counter, value: Double($2)) }
    }
}

extension DatabaseFigure {
    init(_ statistic: SQLStatistic) {
        self.init(
            name: statistic.name, help: statistic.help, kind: statistic.isCounter ? .counter : .gauge,
            value: statistic.value)
    }
}
