import SQLDatabase

/// The tables, as migrations.
///
/// Columns of `projects` and `tokens` keep their order on every engine, so that the `INSERT` lines of a SQLite dump
/// load into PostgreSQL as they are. Instants are 24 characters of ISO 8601 in UTC; money is nano-dollars.
enum Schema {
    static let migrations = [
        spine, instances, limits, budgets, retention, access, upstreams, responseCache, copies, audit, answers,
        managers, usage, moves, timeline, traffic, cacheUses,
    ]
    static let runner = MigrationRunner(migrations)
}
