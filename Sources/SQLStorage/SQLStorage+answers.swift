public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func rememberedAnswer(
        _ key: String, since instant: Timestamp
    ) async throws(StorageError) -> RememberedAnswer? {
        try await reading(.readAnswer) { connection in
            try connection.first(AnswerStatements.find, [.text(key), .instant(instant)]) { (row) throws(SQLError) in
                RememberedAnswer(
                    key: row.text(at: 0), fingerprint: row.text(at: 1), project: try row.id(at: 2),
                    sealed: row.text(at: 3), answeredAt: try row.instant(at: 4))
            }
        }
    }

    public func forgetAnswers(before instant: Timestamp) async throws(StorageError) {
        _ = try await writing(.prune) { try $0.run(AnswerStatements.forget, [.instant(instant)]) }
    }
}

extension RememberedAnswer {
    /// Puts it into the transaction that is under way.
    func keep(on connection: any SQLConnection) throws(SQLError) {
        // One that is past its time, and that nobody has removed yet, is in nobody's way.
        try connection.run(AnswerStatements.forgetOne, [.text(key), .instant(answeredAt + .seconds(-86_400))])
        try connection.run(
            AnswerStatements.add,
            [.text(key), .text(fingerprint), .id(project), .text(sealed), .instant(answeredAt)])
    }
}

private enum AnswerStatements {
    static let find = SQLStatement(
        """
        SELECT idempotency_key, fingerprint, project_id, sealed_answer, answered_at FROM remembered_answers
        WHERE idempotency_key = $1 AND answered_at >= $2
        """)
    static let forget = SQLStatement("DELETE FROM remembered_answers WHERE answered_at < $1")
    static let forgetOne = SQLStatement(
        "DELETE FROM remembered_answers WHERE idempotency_key = $1 AND answered_at < $2")
    static let add = SQLStatement(
        """
        INSERT INTO remembered_answers (idempotency_key, fingerprint, project_id, sealed_answer, answered_at)
        VALUES ($1, $2, $3, $4, $5)
        """)
}
