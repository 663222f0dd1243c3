"""Which SQL may run: DuckDB's syntax tree is checked, whatever comments and strings are in the text."""

from __future__ import annotations

import pytest

from crawlhouse.sql.reading import parse_read_only
from schemas.errors import ConfigError

READING = [
    "SELECT 1;",
    "-- a comment\nSELECT 'COPY x TO y', \"a.b\" FROM articles /* EXPLAIN ( */",
    "FROM articles SELECT host, count(*) GROUP BY ALL ORDER BY 2 DESC NULLS LAST LIMIT 5",
    "SELECT DISTINCT ON (url) url FROM memory.main.articles QUALIFY row_number() OVER (PARTITION BY host) = 1 LIMIT 10%",
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 5), c AS MATERIALIZED (FROM r) FROM c EXCEPT FROM r",
    "SELECT * FROM articles JOIN captures USING (url) SEMI JOIN runs USING (process_run), LATERAL (SELECT 1), unnest(authors) AS t(x)",
    "SELECT * FROM captures PIVOT (count(*) FOR outcome IN ('published', 'known'))",
    "FROM captures UNPIVOT (value FOR name IN (url, host))",
    "SELECT (SELECT max(i) FROM range(3) AS t(i)), url IN (FROM runs SELECT crawl), list_transform(tags, lambda x: x || '!') FROM articles",
    "SELECT * FROM articles TABLESAMPLE 10%",
    "VALUES (1, 'a'), (2, 'b')",
    "TABLE articles",
    "DESCRIBE articles",
    "SUMMARIZE SELECT url FROM articles",
    "SHOW TABLES",
    "FROM (DESCRIBE articles)",
    "FROM information_schema.columns",
    "FROM duckdb_columns()",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE FROM articles",
    "explain /* ( */ analyze -- )\n (FORMAT json) SELECT 'é', '('",
    "EXPLAIN (ANALYZE, FORMAT json) SELECT 1",
    "EXPLAIN (SELECT 1) UNION (SELECT 2)",
    "EXPLAIN SUMMARIZE articles",
    "SELECT " + " OR ".join(["url = 'x'"] * 2_000) + " FROM articles",
]

WRITING = [
    "/* EXPLAIN (*/ COPY runs TO 'x.csv'; /*) */ SELECT 1",
    "EXPLAIN /* (SELECT 1) */ COPY runs TO 'x.csv'",
    "EXPLAIN (ANALYZE) COPY runs TO 'x.csv'",
    "EXPLAIN ANALYZE /* x */ (FORMAT json) CREATE TABLE t AS SELECT 1",
    "WITH x AS (COPY runs TO 'x.csv') SELECT 1",
    "EXPLAIN ANALYZE WITH x AS (COPY runs TO 'x.csv') SELECT 1",
    "SELECT (WITH x AS (COPY runs TO 'x.csv') SELECT 1)",
    "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) FROM x",
    "FROM (WITH x AS (DELETE FROM t RETURNING *) FROM x)",
    "CREATE TABLE t AS SELECT 1",
    "INSERT INTO t VALUES (1)",
    "ATTACH 'x.db'",
    "DETACH sources",
    "INSTALL httpfs",
    "LOAD httpfs",
    "UPDATE EXTENSIONS",
    "SET threads = 1",
    "SET VARIABLE x = 1",
    "RESET threads",
    "USE sources",
    "PRAGMA enable_profiling",
    "CALL enable_logging()",
    "EXPORT DATABASE 'x'",
    "IMPORT DATABASE 'x'",
    "CREATE SECRET (TYPE s3)",
    "PREPARE p AS COPY runs TO 'x.csv'",
    "EXECUTE p",
    "CHECKPOINT",
    "BEGIN",
    "FROM enable_logging()",
    "FROM checkpoint()",
]

# what reads a file, other SQL, or what the views are made of
REACHING = [
    *(f"SELECT * FROM {name}('x')" for name in (
        "read_parquet", "PARQUET_SCAN", "read_csv", "read_json", "read_ndjson_objects", "read_text", "read_blob", "read_duckdb", "glob",
        "sniff_csv", "parquet_metadata", "parquet_schema", "parquet_kv_metadata", "parquet_bloom_probe", "system.main.read_text",
        "query", "query_table", "histogram", "json_execute_serialized_sql", "arrow_scan", "pandas_scan", "sqlite_scan", "duckdb_secrets",
    )),
    "DESCRIBE FROM read_parquet('x')",
    "SELECT EXISTS(FROM glob('*'))",
    "FROM read_parquet('x') PIVOT (count(*) FOR a IN (1))",
    "FROM articles JOIN read_csv('x') USING (url)",
    "FROM 'x.parquet'",
    "FROM '/etc/passwd'",
    "FROM \"s3://bucket/x\"",
    "DESCRIBE 'x.csv'",
    "SUMMARIZE 'lake/*'",
    "SHOW 'x.csv'",
    "WITH \"x.parquet\" AS (SELECT 1) FROM \"x.parquet\"",
    "FROM sources.taken_down",
    "FROM sources.main.taken_down",
    "DESCRIBE sources.articles",
]  # fmt: skip


@pytest.mark.parametrize("sql", READING)
def test_what_reads_the_tables_is_parsed(sql: str) -> None:
    assert parse_read_only(sql).query.strip()


@pytest.mark.parametrize("sql", WRITING)
def test_what_does_not_only_read_is_refused(sql: str) -> None:
    with pytest.raises(ConfigError, match=r"only reads|Only statements that read|One SQL statement|not allowed in FROM"):
        parse_read_only(sql)


@pytest.mark.parametrize("sql", REACHING)
def test_what_reads_anything_but_the_tables_is_refused(sql: str) -> None:
    with pytest.raises(ConfigError, match="reads the lake's tables only"):
        parse_read_only(sql)


@pytest.mark.parametrize(
    "sql",
    ["", "SELEC 1", "EXPLAIN", "EXPLAIN (", "SELECT '\0'", "SELECT '\udcff'", "SELECT " + "(SELECT " * 5_000, "SELECT 1" + " + 1" * 3_000],
)
def test_what_is_not_understood_is_told_in_a_sentence(sql: str) -> None:
    with pytest.raises(ConfigError, match="SQL"):
        parse_read_only(sql)


@pytest.mark.parametrize("sql", ["PIVOT articles ON language USING count(*)", "WITH p AS (PIVOT articles ON language) FROM p"])
def test_a_pivot_without_its_values_is_told_what_to_write(sql: str) -> None:
    with pytest.raises(ConfigError, match=r"ON language IN \('de', 'en'\)"):
        parse_read_only(sql)
