import ProxyDomain

/// A database as the Go proxy makes it.
enum GoProxyFixture {
    static let project = "0b8f5a52-6d0c-4a0e-9b7e-3f1f4f3c2a11"
    static let plain = tenant("sk-" + String(repeating: "Q", count: 42) + "A", "019b7899-0000-7000-8000-000000000001")
    static let hashed = tenant("sk-" + String(repeating: "R", count: 42) + "A", "019b7899-0000-7000-8000-000000000002")
    static let revoked = tenant("sk-" + String(repeating: "S", count: 42) + "A", "019b7899-0000-7000-8000-000000000003")
    /// As its `GenerateToken` makes them: a UUID of version 7.
    static let issued = "sk-AZt4mQAAcACAAAAAAAAABA"
    static let issuedID = "019b7899-0000-7000-8000-000000000004"

    /// Bytes 0…31, in base64.
    static let encryptionKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    static let otherKey = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
    /// ``upstreamKey`` under ``encryptionKey``, as its `Encrypt` writes it.
    static let encryptedKey =
        "enc:v1:AAECAwQFBgcICQoLNGn7brWWtmnoIPqm2owBQPe+5kDdFTBRWwuM4HMdLd9gaYOZ2aRgtQfBGucyG3whOW4NyI49B3t3PC8="

    static func tenant(_ secret: String, _ id: String) -> Tenant {
        let nobody = Identifier(high: 0, low: 0)
        return Tenant(
            secret: secret, tokenID: TokenID(id) ?? TokenID(nobody), projectID: ProjectID(project) ?? ProjectID(nobody))
    }

    /// Of its migrations for SQLite up to the third, and the fourth, which gives tokens identifiers.
    static let schema = """
        CREATE TABLE projects (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, openai_api_key TEXT NOT NULL,
            created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            is_active BOOLEAN NOT NULL DEFAULT 1, deactivated_at DATETIME);
        CREATE TABLE tokens (id TEXT, token TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL, expires_at DATETIME,
            request_count INTEGER NOT NULL DEFAULT 0, max_requests INTEGER,
            created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, last_used_at DATETIME,
            is_active BOOLEAN NOT NULL DEFAULT 1, deactivated_at DATETIME, cache_hit_count INTEGER NOT NULL DEFAULT 0,
            FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE);

        """

    /// One project; a token with seven of nine requests, a hashed one with one, and a revoked one.
    static let rows = """
        INSERT INTO projects (id, name, openai_api_key, is_active, created_at, updated_at)
        VALUES ('\(project)', 'acme', '\(upstreamKey)', 1, '2026-01-01 10:00:00', '2026-01-01 12:00:00.5+02:00');
        INSERT INTO tokens (id, token, project_id, request_count, max_requests, cache_hit_count, created_at, last_used_at)
        VALUES ('\(plain.tokenID)', '\(plain.secret)', '\(project)', 7, 9, 2, '2026-01-01 12:00:00+02:00',
            '2026-01-02 03:04:05.123456789+00:00');
        INSERT INTO tokens (id, token, project_id, request_count, max_requests, created_at)
        VALUES ('\(hashed.tokenID)', '30f6683a1d33fc54116253bf86da40a36d1c8b631319c76e088be7aa927297f9', '\(project)', 1, 0,
            '2026-01-01 10:00:00');
        INSERT INTO tokens (id, token, project_id, is_active, deactivated_at, created_at)
        VALUES ('\(revoked.tokenID)', '\(revoked.secret)', '\(project)', 0, '2026-01-03 10:00:00', '2026-01-01 10:00:00');

        """

    /// The same project and its first token, in its newest schema for PostgreSQL.
    static let postgres = """
        CREATE TABLE projects (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, api_key TEXT NOT NULL,
            is_active BOOLEAN NOT NULL DEFAULT TRUE, deactivated_at TIMESTAMP,
            created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
        CREATE TABLE tokens (id UUID PRIMARY KEY, token TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL,
            expires_at TIMESTAMP, is_active BOOLEAN NOT NULL DEFAULT TRUE, deactivated_at TIMESTAMP,
            request_count INTEGER NOT NULL DEFAULT 0, max_requests INTEGER, cache_hit_count INTEGER NOT NULL DEFAULT 0,
            created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, last_used_at TIMESTAMP, metadata TEXT);
        INSERT INTO projects (id, name, api_key, created_at, updated_at)
        VALUES ('\(project)', 'acme', '\(upstreamKey)', '2026-01-01 10:00:00', '2026-01-01 10:00:00');
        INSERT INTO tokens (id, token, project_id, request_count, created_at, last_used_at)
        VALUES ('\(plain.tokenID)', '\(plain.secret)', '\(project)', 7, '2026-01-01 10:00:00', '2026-01-02 03:04:05.123');
        """
}
