import ProxyDomain
import SQLDatabase

/// What sums are told apart by, as it is stored.
struct UsageCell: Hashable, Sendable {
    let project: String
    let token: String
    let model: String
    let status: String
}

/// Adds up what requests used.
struct UsageTally {
    private(set) var cells: [UsageCell: UsageFigures] = [:]
    /// Whether one of the requests has not ended.
    private(set) var hasOpen = false

    mutating func add(_ cell: UsageCell, _ figures: UsageFigures) { cells[cell, default: UsageFigures()].add(figures) }

    /// Adds a row of ``UsageStatements/rows``.
    mutating func add(request row: any SQLRow) {
        let cell = row.usageCell(from: 0)
        if !row.isNull(at: 4) { hasOpen = true }
        cells[cell, default: UsageFigures()].add(request: row)
    }
}

extension UsageFigures {
    /// Adds a row of ``UsageStatements/rows``.
    mutating func add(request row: any SQLRow) {
        requests += 1
        errors += row.integer(at: 5)
        promptTokens += row.integer(at: 6)
        completionTokens += row.integer(at: 7)
        cost = cost + NanoDollars(row.integer(at: 8))
        cacheHits += row.integer(at: 9)
        if let duration = row.optionalInteger(at: 10) { latencies.add(duration) }
    }
}

extension SQLRow {
    func usageCell(from first: Int) -> UsageCell {
        UsageCell(
            project: text(at: first), token: text(at: first + 1), model: text(at: first + 2),
            status: text(at: first + 3))
    }

    /// Six sums, and the times if they are kept.
    func usageFigures(from first: Int, withLatencies: Bool) throws(SQLError) -> UsageFigures {
        var figures = UsageFigures()
        figures.requests = integer(at: first)
        figures.errors = integer(at: first + 1)
        figures.promptTokens = integer(at: first + 2)
        figures.completionTokens = integer(at: first + 3)
        figures.cost = NanoDollars(integer(at: first + 4))
        figures.cacheHits = integer(at: first + 5)
        if withLatencies {
            guard figures.latencies.add(text: text(at: first + 6)) else {
                throw SQLError(.corrupt, detail: "a sum of usage holds no latencies")
            }
        }
        return figures
    }
}
