"""Rows of requests, made by SQL: settled ones of one token, spread over some days of the past."""

import datetime
import sqlite3

DAYS = 10
COLUMNS = """id, token_id, project_id, admitted_at, method, path, model, outcome, status, prompt_tokens, completion_tokens,
    cost_nano, settled_at, duration_us, first_byte_us, usage_source, writer"""
ROW = """'{token}', '{project}', '{day}T12:00:00.000Z', 'POST', '/v1/chat/completions', 'gpt-4o-mini', 'completed', 200, 12, 34, 0,
    '{day}T12:00:00.500Z', 500000, 400000, 'provider', 1"""


def days():
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return [today - datetime.timedelta(days=number) for number in range(DAYS + 3, 3, -1)]


def milliseconds(day):
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.timezone.utc).timestamp() * 1000)


def fill_sqlite(path, token, project, rows):
    database = sqlite3.connect(path)
    for day in days():
        database.execute(f"""
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows // DAYS}),
                hex(i, h) AS (SELECT i, printf('%012x', {milliseconds(day)} + i * 86400000 / {rows // DAYS}) FROM n)
            INSERT INTO requests ({COLUMNS})
            SELECT substr(h, 1, 8) || '-' || substr(h, 9) || printf('-7000-8000-%012x', i), {ROW.format(
                token=token, project=project, day=day)} FROM hex""")
    count(database.execute, token, rows // DAYS * DAYS)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def fill_postgres(database, token, project, rows):
    database.query("DROP TABLE requests_before")
    database.query(f"SELECT prepare_day_parts('requests', '{days()[0]}', {DAYS + 12})")
    for day in days():
        database.query(f"""
            INSERT INTO requests ({COLUMNS})
            SELECT left(h, 8) || '-' || right(h, 4) || '-7000-8000-' || lpad(to_hex(i), 12, '0'), {ROW.format(
                token=token, project=project, day=day)}
            FROM (SELECT i, lpad(to_hex({milliseconds(day)} + i * 86400000 / {rows // DAYS}), 12, '0') AS h
                FROM generate_series(CAST(0 AS bigint), {rows // DAYS - 1}) AS i) AS hex""")
    count(database.query, token, rows // DAYS * DAYS)
    database.query("VACUUM ANALYZE requests")
    database.query("CHECKPOINT")


def count(run, token, rows):
    run(f"""UPDATE tokens SET request_count = request_count + {rows}, prompt_tokens = prompt_tokens + 12 * {rows},
        completion_tokens = completion_tokens + 34 * {rows} WHERE id = '{token}'""")
