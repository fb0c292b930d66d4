"""Rows of requests, made by SQL: settled ones of one token, spread over some days of the past."""

import datetime
import sqlite3

DAYS = 10
COLUMNS = """id, token_id, project_id, admitted_at, method, path, model, outcome, status, prompt_tokens, completion_tokens,
    cost_nano, settled_at, duration_us, first_byte_us, usage_source, writer"""
ROW = """'{token}', '{project}', '{day}T12:00:00.000Z', 'POST', '/v1/chat/completions', 'gpt-4o-mini', 'completed', 200, 12, 34, 0,
    '{day}T12:00:00.500Z', 500000, 400000, 'provider', 1"""
# Of all tokens in turn, of three models, one in forty refused, each with a duration of its own. The table of tokens is `bench_tokens`.
VARIED_ROW = """(SELECT token FROM bench_tokens WHERE number = i % {tokens}), (SELECT project FROM bench_tokens WHERE number = i % {tokens}),
    '{day}T12:00:00.000Z', 'POST', '/v1/chat/completions', CASE i % 3 WHEN 0 THEN 'gpt-4o' WHEN 1 THEN 'gpt-4o-mini' ELSE 'o3' END,
    'completed', CASE WHEN i % 40 = 7 THEN 429 ELSE 200 END, 12, 34, 1000, '{day}T12:00:00.500Z', 100000 + i * 7919 % 900000, 50000,
    'provider', 1"""


def days():
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return [today - datetime.timedelta(days=number) for number in range(DAYS + 3, 3, -1)]


def milliseconds(day):
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.timezone.utc).timestamp() * 1000)


def tokens_in(run, tokens):
    """Names (token, project) to the varied row."""
    run("CREATE TABLE bench_tokens (number BIGINT PRIMARY KEY, token TEXT, project TEXT)")
    for number, (token, project) in enumerate(tokens):
        run(f"INSERT INTO bench_tokens VALUES ({number}, '{token}', '{project}')")


def fill_sqlite(path, token, project, rows, tokens=()):
    database = sqlite3.connect(path)
    if tokens:
        tokens_in(database.execute, tokens)
    for day in days():
        database.execute(f"""
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows // DAYS}),
                hex(i, h) AS (SELECT i, printf('%012x', {milliseconds(day)} + i * 86400000 / {rows // DAYS}) FROM n)
            INSERT INTO requests ({COLUMNS})
            SELECT substr(h, 1, 8) || '-' || substr(h, 9) || printf('-7000-8000-%012x', i), {row(
                token, project, day, tokens)} FROM hex""")
    if tokens:
        database.execute("DROP TABLE bench_tokens")
    else:
        count(database.execute, token, rows // DAYS * DAYS)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def row(token, project, day, tokens):
    return VARIED_ROW.format(tokens=len(tokens), day=day) if tokens else ROW.format(token=token, project=project, day=day)


def fill_postgres(database, token, project, rows, tokens=()):
    if tokens:
        tokens_in(database.query, tokens)
    database.query("DROP TABLE requests_before")
    database.query(f"SELECT prepare_day_parts('requests', '{days()[0]}', {DAYS + 12})")
    for day in days():
        database.query(f"""
            INSERT INTO requests ({COLUMNS})
            SELECT left(h, 8) || '-' || right(h, 4) || '-7000-8000-' || lpad(to_hex(i), 12, '0'), {row(
                token, project, day, tokens)}
            FROM (SELECT i, lpad(to_hex({milliseconds(day)} + i * 86400000 / {rows // DAYS}), 12, '0') AS h
                FROM generate_series(CAST(0 AS bigint), {rows // DAYS - 1}) AS i) AS hex""")
    if tokens:
        database.query("DROP TABLE bench_tokens")
    else:
        count(database.query, token, rows // DAYS * DAYS)
    database.query("VACUUM ANALYZE requests")
    database.query("CHECKPOINT")


def count(run, token, rows):
    run(f"""UPDATE tokens SET request_count = request_count + {rows}, prompt_tokens = prompt_tokens + 12 * {rows},
        completion_tokens = completion_tokens + 34 * {rows} WHERE id = '{token}'""")
