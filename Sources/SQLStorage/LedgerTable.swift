import SQLDatabase

/// What the ledger says of the rows of requests: of all of them, or of one day's part.
final class LedgerTable: Sendable {
    static let addWidth = 24
    static let addWidthWithoutReservation = 21
    static let settleWidth = 15

    /// All requests.
    static let all = LedgerTable("requests")

    /// Adds requests; one that is there already is left as it is.
    let add: BatchStatement
    /// Ends requests that are open.
    let settle: BatchStatement
    /// Which of a batch's requests are in the database.
    let present: BatchStatement
    /// See ``whole(on:)``.
    let whole: SQLStatement
    /// See ``lone(on:)``.
    let lone: SQLStatement

    /// - Parameter table: `requests`, or the name of a part of it.
    init(_ table: String) {
        whole = Self.whole(on: table)
        lone = Self.lone(on: table)
        add = BatchStatement(
            each: """
                INSERT INTO \(table) (\(Columns.requestWithoutReservation), writer, \(Columns.reservation))
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                    $22, $23, $24)
                ON CONFLICT (id) DO NOTHING
                """,
            all: """
                INSERT INTO \(table) (\(Columns.requestWithoutReservation), writer, \(Columns.reservation))
                SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                    $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[],
                    $14::bigint[], $15::bigint[], $16::text[], $17::text[], $18::bigint[], $19::bigint[], $20::bigint[],
                    $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[])
                ON CONFLICT (id) DO NOTHING RETURNING id
                """, tag: .firstParameter)
        settle = BatchStatement(
            each: """
                UPDATE \(table) AS requests SET model = $2, outcome = $3, status = $4, prompt_tokens = $5, completion_tokens = $6,
                    cost_nano = $7, settled_at = $8, duration_us = $9, first_byte_us = $10, usage_source = $11,
                    attempts = $12, sent_us = $13, request_bytes = $14, response_bytes = $15
                WHERE id = $1 AND settled_at IS NULL
                """,
            all: """
                UPDATE \(table) AS requests SET \(Self.takingEnd)
                FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                    $8::text[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bigint[],
                    $14::bigint[], $15::bigint[]) WITH ORDINALITY AS ended (\(Self.endColumns), position)
                WHERE requests.id = ended.id AND requests.settled_at IS NULL AND \(LedgerStatements.isOfBatch("ended.position"))
                RETURNING ended.position
                """)
        present = BatchStatement(
            each: "SELECT 1 FROM \(table) WHERE id = $1",
            all: """
                SELECT 1, asked.position FROM unnest($1::text[]) WITH ORDINALITY AS asked (id, position)
                    JOIN \(table) AS requests ON requests.id = asked.id
                WHERE \(LedgerStatements.isOfBatch("asked.position"))
                """)
    }

    /// What an open request takes over from the row `ended`.
    static let takingEnd = """
        model = ended.model, outcome = ended.outcome, status = ended.status, prompt_tokens = ended.prompt_tokens,
        completion_tokens = ended.completion_tokens, cost_nano = ended.cost_nano, settled_at = ended.settled_at,
        duration_us = ended.duration_us, first_byte_us = ended.first_byte_us, usage_source = ended.usage_source,
        attempts = ended.attempts, sent_us = ended.sent_us, request_bytes = ended.request_bytes,
        response_bytes = ended.response_bytes
        """

    /// The columns of a row `ended`.
    static let endColumns = """
        id, model, outcome, status, prompt_tokens, completion_tokens, cost_nano, settled_at, duration_us, first_byte_us,
        usage_source, attempts, sent_us, request_bytes, response_bytes
        """
}
