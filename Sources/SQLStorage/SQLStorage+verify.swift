import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func verify() async throws(StorageError) -> [InvariantFinding] {
        try await reading(.verify) { connection in
            try connection.transaction(.read) { () throws(SQLError) in try Invariants.check(on: connection) }
        }
    }
}

/// What must always be true of the rows.
enum Invariants {
    static func check(on connection: any SQLConnection) throws(SQLError) -> [InvariantFinding] {
        let tokens = try count(tokenCount, connection)
        let requests = try count(requestCount, connection)
        var findings = try drifts(of: .tokens, checked: tokens, connection)
        findings += try drifts(of: .projects, checked: try count(projectCount, connection), connection)
        for rule in tokenRules { findings.append(try finding(rule, checked: tokens, connection)) }
        for rule in requestRules { findings.append(try finding(rule, checked: requests, connection)) }
        findings.append(try usageSums(checked: tokens, connection))
        let chain = try AuditChain.check(connection)
        findings.append(
            InvariantFinding(
                invariant: "audit-chain-unbroken", checked: chain.checked, violations: Int64(chain.broken.count),
                examples: Array(chain.broken.prefix(mostExamples))))
        if let integrity = connection.dialect.integrityCheck {
            let said = try connection.all(integrity) { (row) throws(SQLError) in row.text(at: 0) }
            let faults = said.filter { $0 != "ok" }
            findings.append(
                InvariantFinding(
                    invariant: "engine-structures-sound", checked: 1, violations: Int64(faults.count), examples: faults)
            )
        }
        return findings
    }

    private static func count(_ statement: SQLStatement, _ connection: any SQLConnection) throws(SQLError) -> Int64 {
        try connection.first(statement) { (row) throws(SQLError) in row.integer(at: 0) } ?? 0
    }

    /// Compares counters with rows: one walk for all of an owner's.
    private static func drifts(
        of owner: CounterOwner, checked: Int64, _ connection: any SQLConnection
    ) throws(SQLError) -> [InvariantFinding] {
        let counters = owner.counters
        var violations = Array(repeating: Int64(0), count: counters.count)
        var examples = Array(repeating: [String](), count: counters.count)
        try connection.run(owner.differences) { (row) throws(SQLError) in
            for index in counters.indices where row.integer(at: index + 1) != 0 {
                violations[index] += 1
                if examples[index].count < mostExamples { examples[index].append(row.text(at: 0)) }
            }
        }
        return counters.indices.map {
            InvariantFinding(
                invariant: counters[$0].invariant, checked: checked, violations: violations[$0], examples: examples[$0])
        }
    }

    /// Compares what is told of each token's requests with its rows.
    private static func usageSums(
        checked: Int64, _ connection: any SQLConnection
    ) throws(SQLError) -> InvariantFinding {
        let broken = try usageDifferences(on: connection)
        return InvariantFinding(
            invariant: "usage-sums-equal-rows", checked: checked, violations: Int64(broken.count),
            examples: broken.prefix(mostExamples).map(\.id))
    }

    /// Of each token of whose requests something else is told than the rows say: how many are.
    static func usageDifferences(on connection: any SQLConnection) throws(SQLError) -> [CounterRepair] {
        var reader = UsageReader(UsageQuery(grouping: .token, since: .earliest, until: .latest))
        try reader.read(on: connection)
        var told = reader.groups
        var broken: [CounterRepair] = []
        try connection.run(counters) { (row) throws(SQLError) in
            let figures = told.removeValue(forKey: row.text(at: 0)) ?? UsageFigures()
            let sums = [
                figures.requests, figures.promptTokens, figures.completionTokens, figures.cost.amount,
                figures.cacheHits,
            ]
            guard (0..<5).contains(where: { row.integer(at: $0 + 1) != sums[$0] }) else { return }
            broken.append(
                CounterRepair(
                    owner: "token", id: row.text(at: 0), counter: "usage_sums", found: figures.requests,
                    counted: row.integer(at: 1)))
        }
        // Of what is left there are no rows at all.
        for (token, figures) in told.sorted(by: { $0.key < $1.key }) where figures.requests != 0 {
            broken.append(
                CounterRepair(
                    owner: "token", id: token, counter: "usage_sums", found: figures.requests, counted: 0))
        }
        return broken
    }

    private static func finding(
        _ rule: Rule, checked: Int64, _ connection: any SQLConnection
    ) throws(SQLError) -> InvariantFinding {
        var violations: Int64 = 0
        var examples: [String] = []
        try connection.run(rule.breakers) { (row) throws(SQLError) in
            violations += 1
            if examples.count < mostExamples { examples.append(row.text(at: 0)) }
        }
        return InvariantFinding(invariant: rule.name, checked: checked, violations: violations, examples: examples)
    }

    private static let mostExamples = 5
    /// What rows, and what is kept of those that are removed, say of each token.
    private static let counters = SQLStatement(
        """
        SELECT token_id, \((1...5).map { "CAST(COALESCE(sum(c\($0)), 0) AS BIGINT)" }.joined(separator: ", ")) FROM (
            SELECT token_id, count(*) AS c1, sum(prompt_tokens) AS c2, sum(completion_tokens) AS c3,
                sum(cost_nano) AS c4, sum(\(UsageStatements.fromCache)) AS c5
            FROM requests GROUP BY token_id
            UNION ALL
            SELECT token_id, requests, prompt_tokens, completion_tokens, cost_nano, cache_hits FROM usage_daily) AS parts
        GROUP BY token_id
        """)
    private static let tokenCount = SQLStatement("SELECT count(*) FROM tokens")
    private static let projectCount = SQLStatement("SELECT count(*) FROM projects")
    private static let requestCount = SQLStatement("SELECT count(*) FROM requests")

    /// A name, and a statement that gives the identifiers of those that break the rule.
    private struct Rule {
        let name: String
        let breakers: SQLStatement

        init(_ name: String, _ breakers: String) {
            self.name = name
            self.breakers = SQLStatement(breakers)
        }
    }

    private static let tokenRules = [
        // A cap may be lowered below what was used; from then on nothing may be added.
        Rule(
            "token-cap-kept",
            """
            SELECT tokens.id FROM tokens JOIN projects ON projects.id = tokens.project_id
            WHERE max_requests > 0 AND \(Columns.counted) > max_requests AND request_count > request_count_at_cap
            ORDER BY tokens.id
            """),
        Rule(
            "token-has-project",
            "SELECT id FROM tokens WHERE project_id NOT IN (SELECT id FROM projects) ORDER BY id"),
    ]

    private static let requestRules = [
        Rule(
            "request-has-token",
            "SELECT id FROM requests WHERE token_id NOT IN (SELECT id FROM tokens) ORDER BY id"),
        // Each token is looked at once: beside a busy server PostgreSQL walks over all versions of a row that is looked up.
        Rule(
            "request-has-its-tokens-project",
            """
            WITH pairs AS MATERIALIZED (
                SELECT DISTINCT token_id, project_id FROM requests
            ), wrong AS MATERIALIZED (
                SELECT pairs.token_id, pairs.project_id FROM pairs JOIN tokens ON tokens.id = pairs.token_id
                WHERE tokens.project_id <> pairs.project_id
            )
            SELECT requests.id FROM wrong
                JOIN requests ON requests.token_id = wrong.token_id AND requests.project_id = wrong.project_id
            ORDER BY requests.id
            """),
        // Or nobody would ever end it.
        Rule(
            "request-open-is-known-to-a-writer",
            """
            SELECT id FROM requests WHERE settled_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM ledger_writers WHERE oldest_open <= requests.id) ORDER BY id
            """),
        Rule(
            "request-settled-whole-or-not-at-all",
            """
            SELECT id FROM requests
            WHERE (settled_at IS NULL) <> (outcome IS NULL) OR (settled_at IS NULL) <> (status IS NULL)
                OR (settled_at IS NULL) <> (cost_nano IS NULL) OR (settled_at IS NULL) <> (duration_us IS NULL)
                OR (prompt_tokens IS NULL) <> (completion_tokens IS NULL)
                OR (usage_source IS NOT NULL AND prompt_tokens IS NULL)
                OR (settled_at IS NULL AND (prompt_tokens IS NOT NULL OR model IS NOT NULL))
            ORDER BY id
            """),
        Rule(
            "request-figures-not-negative",
            """
            SELECT id FROM requests WHERE duration_us < 0 OR first_byte_us < 0 OR request_bytes < 0 OR response_bytes < 0 OR prompt_tokens < 0
                OR completion_tokens < 0 OR cost_nano < 0 OR reserved_nano < 0 ORDER BY id
            """),
    ]
}
