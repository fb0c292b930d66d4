import SQLDatabase

extension ChangeCapture {
    /// The SQLSTATE of a refused change, of a class that PostgreSQL leaves to others.
    static let movedState = "LPM01"

    /// One trigger for each table, which a table's parts have from it (PostgreSQL manual, `CREATE TRIGGER`). Each change holds a lock
    /// that the fence waits for; looked at after that, `moves` is as the fence's transaction left it.
    static let postgres = ChangeCapture(
        patience: "SET LOCAL lock_timeout = '200ms'",
        prepare: """
            CREATE OR REPLACE FUNCTION note_move_change() RETURNS trigger LANGUAGE plpgsql AS $body$
            DECLARE
                changed jsonb;
            BEGIN
                PERFORM pg_advisory_xact_lock_shared(\(fenceNumber));
                IF EXISTS (SELECT 1 FROM moves WHERE state <> 'following') THEN
                    RAISE EXCEPTION '\(refusal)' USING ERRCODE = '\(movedState)';
                END IF;
                IF TG_OP = 'DELETE' THEN changed := to_jsonb(OLD); ELSE changed := to_jsonb(NEW); END IF;
                INSERT INTO move_changes (name, \(keyColumns.joined(separator: ", "))) VALUES (
                    TG_ARGV[0], changed ->> TG_ARGV[1], changed ->> TG_ARGV[2], changed ->> TG_ARGV[3], changed ->> TG_ARGV[4]);
                RETURN NULL;
            END
            $body$;
            """,
        begin: { table, key in
            let names = ([table] + key).map { "'\($0)'" }.joined(separator: ", ")
            return """
                CREATE TRIGGER \(table)_noted AFTER INSERT OR UPDATE OR DELETE ON \(table)
                    FOR EACH ROW EXECUTE FUNCTION note_move_change(\(names));
                """
        },
        end: { "DROP TRIGGER IF EXISTS \($0)_noted ON \($0);" },
        cleanUp: "DROP FUNCTION IF EXISTS note_move_change();",
        fence: SQLStatement("SELECT pg_advisory_xact_lock(\(fenceNumber))"))

    /// A number that only this program uses.
    private static let fenceNumber = "5489371105128823415"
}
