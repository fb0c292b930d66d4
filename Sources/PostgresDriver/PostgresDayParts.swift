import SQLDatabase

extension DayParts {
    /// Partitions by range of the key (PostgreSQL manual, section 5.11).
    ///
    /// A part is made as a table and then attached, and taken away by dropping it last in its transaction: neither keeps others
    /// waiting who write to another part by its name.
    static let postgres = DayParts(
        prepare: SQLStatement("SELECT prepare_day_parts($1, CAST($2 AS date), CAST($3 AS integer))"),
        exists: SQLStatement("SELECT CASE WHEN to_regclass($1) IS NULL THEN 0 ELSE 1 END"),
        ended: SQLStatement(
            """
            SELECT relname FROM (
                SELECT pg_class.relname, substring(pg_get_expr(pg_class.relpartbound, pg_class.oid)
                    FROM 'TO \\(''([^'']+)''\\)') COLLATE "C" AS upper_bound
                FROM pg_inherits JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
                WHERE pg_inherits.inhparent = to_regclass($1)) AS parts
            WHERE upper_bound <= $2 ORDER BY upper_bound LIMIT 1
            """),
        removalLock: SQLStatement("SELECT pg_advisory_xact_lock(5489371105128823412)"),
        seal: {
            "SET LOCAL lock_timeout = '200ms'; SET LOCAL max_parallel_workers_per_gather = 0; LOCK TABLE \($0) IN SHARE MODE"
        })

    /// Functions, because what is made depends on what is there; `EXCEPTION` because of two parts for the same day only one can be.
    static func postgresPartition(table: String) -> String {
        """
        CREATE FUNCTION day_part_key(day date) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
            SELECT left(hex, 8) || '-' || right(hex, 4)
            FROM (SELECT lpad(to_hex(CAST(extract(epoch FROM CAST(day AS timestamp)) * 1000 AS bigint)), 12, '0') AS hex) AS h
        $body$;

        CREATE FUNCTION prepare_day_parts(base text, first_day date, days integer) RETURNS void LANGUAGE plpgsql AS $body$
        DECLARE
            day date;
            part text;
        BEGIN
            PERFORM pg_advisory_xact_lock(5489371105128823413);
            FOR day IN SELECT first_day + step FROM generate_series(0, days - 1) AS step LOOP
                part := base || '_' || to_char(day, 'YYYYMMDD');
                CONTINUE WHEN to_regclass(part) IS NOT NULL;
                BEGIN
                    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, base);
                    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                        base, part, day_part_key(day), day_part_key(day + 1));
                EXCEPTION WHEN invalid_object_definition OR check_violation THEN
                    NULL; -- Another part holds rows of that day already: all of that day's stay with them.
                END;
            END LOOP;
        END
        $body$;

        ALTER TABLE \(table) RENAME TO \(table)_before;

        ALTER TABLE \(table)_before RENAME CONSTRAINT \(table)_pkey TO \(table)_before_pkey;

        CREATE TABLE \(table) (LIKE \(table)_before INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (id);

        ALTER TABLE \(table) ADD CONSTRAINT \(table)_pkey PRIMARY KEY (id);

        CREATE TABLE \(table)_other PARTITION OF \(table) DEFAULT;

        DO $body$
        DECLARE
            last_id text;
            first_day date := CAST(now() AT TIME ZONE 'UTC' AS date);
        BEGIN
            SELECT max(id) INTO last_id FROM \(table)_before;
            IF last_id IS NOT NULL THEN
                first_day := 1 + greatest(first_day, CAST(to_timestamp(
                    CAST(CAST('x' || replace(left(last_id, 13), '-', '') AS bit(48)) AS bigint) / 1000.0)
                    AT TIME ZONE 'UTC' AS date));
            END IF;
            EXECUTE format('ALTER TABLE \(table) ATTACH PARTITION \(table)_before FOR VALUES FROM (MINVALUE) TO (%L)',
                day_part_key(first_day));
            PERFORM prepare_day_parts('\(table)', first_day, 8);
        END
        $body$;
        """
    }
}
