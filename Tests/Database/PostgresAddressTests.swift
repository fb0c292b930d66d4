import PostgresDriver
import Testing

@Suite("A PostgreSQL connection string")
struct PostgresAddressTests {
    @Test(
        "is read as its users mean it",
        arguments: [
            // The four of the guide (G07).
            (
                "postgres://llmproxy:secret@localhost:5432/llmproxy?sslmode=disable",
                [
                    "user": "llmproxy", "password": "secret", "host": "localhost", "port": "5432", "dbname": "llmproxy",
                    "sslmode": "disable",
                ]
            ),
            (
                "postgres://user:pass@mydb.xxx.rds.amazonaws.com:5432/llmproxy?sslmode=require",
                [
                    "user": "user", "password": "pass", "host": "mydb.xxx.rds.amazonaws.com", "port": "5432",
                    "dbname": "llmproxy", "sslmode": "require",
                ]
            ),
            (
                "postgres://user:pass@/llmproxy?host=/cloudsql/project:region:instance",
                ["user": "user", "password": "pass", "host": "/cloudsql/project:region:instance", "dbname": "llmproxy"]
            ),
            (
                "postgres://user@server:pass@server.postgres.database.azure.com:5432/llmproxy?sslmode=require",
                [
                    "user": "user@server", "password": "pass", "host": "server.postgres.database.azure.com",
                    "port": "5432", "dbname": "llmproxy", "sslmode": "require",
                ]
            ),
            ("postgresql://", [:]),
            ("postgres://h", ["host": "h"]),
            ("postgres://u@h/d", ["user": "u", "host": "h", "dbname": "d"]),
            ("postgres://u:p%40%2F%3A%25@h/d%20e", ["user": "u", "password": "p@/:%", "host": "h", "dbname": "d e"]),
            ("postgres://u:p/q@h/d", ["user": "u", "password": "p/q", "host": "h", "dbname": "d"]),
            ("postgres://u:p:q@h/d", ["user": "u", "password": "p:q", "host": "h", "dbname": "d"]),
            (
                "postgres://u@a:1,b,c:3/d?target_session_attrs=read-write",
                ["user": "u", "host": "a,b,c", "port": "1,,3", "dbname": "d", "target_session_attrs": "read-write"]
            ),
            ("postgres://u@[::1]:5433/d", ["user": "u", "host": "::1", "port": "5433", "dbname": "d"]),
            (
                "postgres://h/d?connect_timeout=7&ssl=true",
                ["host": "h", "dbname": "d", "connect_timeout": "7", "sslmode": "require"]
            ),
        ] as [(String, [String: String])])
    func reading(_ text: String, _ wanted: [String: String]) throws {
        #expect(try PostgresAddress(text).parameters == wanted)
    }

    @Test(
        "that can't be read is refused, and nothing secret is said",
        arguments: [
            ("mysql://u:hunter2@h/d", .scheme), ("postgres://u:hunter2@h:0/d", .port("0")),
            ("postgres://u:hunter2@h:65536/d", .port("65536")), ("postgres://u:hunter2?x@h/d", .port(nil)),
            ("postgres://u:p@h:+5/d", .port(nil)), ("postgres://u:1234?hunter2@h/d", .parameter),
            ("postgres://u:hunter2%4@h/d", .encoding("the password")),
            ("postgres://u:hunter2%+1@h/d", .encoding("the password")),
            ("postgres://u:hunter2%00@h/d", .encoding("the password")), ("postgres://u@[::1/d", .host),
            (
                "postgres://h/d?sslmode=maybe",
                .value(
                    keyword: "sslmode", value: "maybe",
                    allowed: ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"])
            ),
            (
                "postgres://h/d?connect_timeout=soon",
                .value(keyword: "connect_timeout", value: "soon", allowed: ["a whole number"])
            ),
        ] as [(String, PostgresAddressError)])
    func refusing(_ text: String, _ wanted: PostgresAddressError) {
        #expect(throws: wanted) { try PostgresAddress(text) }
        #expect(!"\(wanted)".contains("hunter2"))
    }

    @Test("is shown without its password")
    func description() throws {
        #expect(
            try PostgresAddress("postgres://u:hunter2@a:1,[::1]:2/d?sslmode=require").description
                == "postgres://u:***@a:1,[::1]:2/d")
    }
}
