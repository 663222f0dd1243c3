"""`crawlhouse query`: formats, limits, and what it refuses."""

from __future__ import annotations

import csv
import json
import sys
import threading
from io import StringIO
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import crawlhouse as crawlhouse_package
from crawlhouse.sql.query import open_lake_for_reading
from schemas.config.settings import make_settings
from schemas.errors import ConfigError, TimeLimitError
from tests.crawlhouse.conftest import Run, clean_environment, run_command
from tests.crawlhouse.smalllake import ARTICLE, COPY, publish_small_lake

COLUMNS = "url, version, authors, published_at, confidence, link_density, paywalled, minhash[:3] AS hash"
SQL = f"SELECT {COLUMNS} FROM articles ORDER BY url, version"
FIRST = {
    "url": ARTICLE, "version": 1, "authors": ["Ada B.", "C, D"], "published_at": "2026-01-01T12:00:00+00:00", "confidence": 0.9,
    "link_density": None, "paywalled": None, "hash": "AAAA",
}  # fmt: skip


def test_json_is_one_array(crawlhouse: Run) -> None:
    ended = crawlhouse("query", SQL, "--format", "json")
    rows = json.loads(ended.out)
    assert (ended.code, ended.err, len(rows), rows[0]) == (0, "", 3, FIRST)
    assert json.loads(crawlhouse("query", f"{SQL} LIMIT 0", "-f", "json").out) == []


def test_jsonl_is_one_object_a_line(crawlhouse: Run) -> None:
    assert list(map(json.loads, crawlhouse("query", SQL, "-f", "jsonl").out.splitlines())).index(FIRST) == 0
    assert crawlhouse("query", f"{SQL} LIMIT 0", "-f", "jsonl").out == ""


def test_csv_quotes_what_needs_it(crawlhouse: Run) -> None:
    rows = list(csv.DictReader(StringIO(crawlhouse("query", SQL, "-f", "csv").out)))
    assert [row["url"] for row in rows] == [ARTICLE, ARTICLE, COPY]
    assert json.loads(rows[0]["authors"]) == ["Ada B.", "C, D"]
    assert (rows[0]["confidence"], rows[0]["link_density"], rows[0]["hash"]) == ("0.9", "", "AAAA")


def test_columns_of_one_name_are_all_there(crawlhouse: Run, lake_home: Path) -> None:
    sql = "SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a"
    wanted = {"a": 1, "a_2": 2, "a_1": 3, "a_3": 4}
    assert json.loads(crawlhouse("query", sql, "-f", "jsonl").out) == wanted
    assert crawlhouse("query", sql, "-f", "csv").out == "a,a_2,a_1,a_3\n1,2,3,4\n"
    assert all(name in crawlhouse("query", sql).out for name in wanted)
    house = crawlhouse_package.open(lake_home)
    assert (list(house.query(sql)), house.query(sql).arrow().to_pylist()) == ([wanted], [wanted])
    joined = "FROM articles JOIN captures ON articles.url = captures.url LIMIT 1"
    head, row = csv.reader(StringIO(crawlhouse("query", joined, "-f", "csv").out))
    assert len(head) == len(set(head)) == len(row)


@pytest.mark.parametrize(
    ("sql", "form", "message"),
    [
        ("SELECT {'t': [TIMESTAMP 'infinity']} AS v", "jsonl", "not within the years 1 to 9999"),
        ("SELECT DATE '10000-01-01' AS v", "table", "not within the years 1 to 9999"),
        ("SELECT INTERVAL 1 DAY AS v", "parquet", "Parquet cannot hold a column"),
    ],
)
def test_a_value_that_a_format_does_not_hold_is_told(crawlhouse: Run, sql: str, form: str, message: str) -> None:
    ended = crawlhouse("query", sql, "-f", form)
    assert (ended.code, message in ended.err, "CAST(... AS VARCHAR)" in ended.err) == (2, True, True)


def test_the_output_is_no_folder(crawlhouse: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").mkdir()
    ended = crawlhouse("query", SQL, "-o", str(tmp_path / "rows.csv"))
    assert (ended.code, "is a folder" in ended.err) == (2, True)


def test_a_table_says_that_there_is_more(crawlhouse: Run) -> None:
    ended = crawlhouse("query", "SELECT url FROM articles ORDER BY url", "--rows", "2")
    assert ended.out.count(ARTICLE) == 2
    assert COPY not in ended.out
    assert "The first 2 rows" in ended.err


def test_a_table_too_wide_is_shown_as_records(crawlhouse: Run) -> None:
    ended = crawlhouse("query", "SELECT * FROM articles_latest ORDER BY url")
    assert "duplicate_similarity  " in ended.out
    assert "512 bytes" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 120


def test_a_short_column_beside_long_ones_is_whole(crawlhouse: Run) -> None:
    long = "repeat('word ', 80)"
    ended = crawlhouse("query", f"SELECT {long} AS a, 12345 AS number, {long} AS b")
    assert "number" in ended.out
    assert "12345" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 120


def test_parquet_into_a_file_and_into_a_pipe(crawlhouse: Run, lake_home: Path, tmp_path: Path) -> None:
    assert crawlhouse("query", "SELECT * FROM articles", "-o", "articles.parquet").code == 0
    table = pq.read_table(tmp_path / "articles.parquet")
    assert table.num_rows == 3
    assert str(table.schema.field("published_at").type) == "timestamp[us, tz=UTC]"
    assert {path.name for path in tmp_path.iterdir()} == {"articles.parquet"}


@pytest.mark.parametrize(("name", "code"), [("out.csv", 0), ("out.jsonl", 0), ("out.json", 0), ("out.xlsx", 2), ("no/folder.csv", 2)])
def test_the_suffix_names_the_format(crawlhouse: Run, tmp_path: Path, name: str, code: int) -> None:
    ended = crawlhouse("query", SQL, "-o", name)
    assert (ended.code, (tmp_path / name).exists()) == (code, code == 0)
    assert "Traceback" not in ended.err


def test_sql_from_standard_input(crawlhouse: Run) -> None:
    assert crawlhouse("query", "-", "-f", "csv", stdin="SELECT count(*) AS n FROM runs").out == "n\n1\n"


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        ("SELECT * FROM nope", 3, "There are: articles, articles_latest, captures, quarantine, runs, sightings."),
        ("SELEC 1", 2, "The SQL cannot be parsed"),
        ("SELECT nope FROM articles", 2, 'Referenced column "nope" not found'),
        ("SELECT title::INT FROM articles", 2, "Could not convert string"),
        ("SELECT 1; SELECT 2", 2, "One SQL statement is needed, but 2 were given"),
        ("", 2, "One SQL statement is needed"),
        ("DROP VIEW articles", 2, "this one is DROP"),
        ("COPY articles TO 'stolen.csv'", 2, "this one is COPY"),
        ("EXPLAIN ANALYZE COPY articles TO 'stolen.csv'", 2, "this one is COPY"),
        ("EXPLAIN /* x */ ANALYZE COPY articles TO 'stolen.csv'", 2, "Error"),
        ("SELECT * FROM read_text('/etc/hostname')", 2, "reads the lake's tables only"),
        ("SELECT getenv('HOME')", 2, "getenv does not exist"),
        ("SELECT * FROM monkeypatch", 3, "There is no table monkeypatch"),
        ("ATTACH 'other.db'", 2, "this one is ATTACH"),
        ("SET enable_external_access = true", 2, "this one is SET"),
    ],
)
def test_what_a_query_refuses(crawlhouse: Run, tmp_path: Path, sql: str, code: int, message: str) -> None:
    ended = crawlhouse("query", sql, "-f", "csv")
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_state_is_that_of_a_run_or_a_time(crawlhouse: Run) -> None:
    ended = crawlhouse("query", "FROM runs", "--as-of", "yesterday")
    assert ended.code == 3
    assert "'yesterday' is no published run, and no time like" in ended.err


def test_no_statement_reads_or_writes_a_live_file(lake_home: Path, tmp_path: Path) -> None:
    files = {path: path.read_bytes() for path in lake_home.rglob("*") if path.is_file()}
    live = next(str(path) for path in files if "/lake/articles/data/" in str(path))
    hostile = (
        f"/* EXPLAIN (*/ COPY runs TO '{live}'; /*) */ SELECT 1",
        f"WITH x AS (COPY (SELECT 1 AS a) TO '{live}' (FORMAT parquet)) SELECT 1",
        f"EXPLAIN ANALYZE WITH x AS (COPY runs TO '{live}') SELECT 1",
        f"SELECT * FROM read_parquet('{live}')",
        f"SELECT * FROM query('FROM read_blob(''{live}'')')",
        f"SELECT * FROM '{live}'",
        f"COPY runs TO '{lake_home}/store/lake/new.csv'",
        f"WITH x AS (COPY runs TO '{tmp_path}/.tmp/new.csv') SELECT 1",
    )
    house = crawlhouse_package.open(home=lake_home)
    for sql in hostile:
        with pytest.raises(ConfigError):
            house.query(sql).arrow()
    assert {path: path.read_bytes() for path in lake_home.rglob("*") if path.is_file()} == files


def test_the_connection_reaches_the_live_files_and_nothing_else(lake_home: Path) -> None:
    """If the check of the statement failed, DuckDB's own lock would still refuse."""
    with open_lake_for_reading(make_settings(home=lake_home)) as connection:
        reachable = connection.sql("SELECT current_setting('allowed_directories'), current_setting('allowed_paths')").fetchall()[0]
        assert (reachable[0], len(reachable[1])) == ([], 3)
        assert all(Path(path).suffix == ".parquet" for path in reachable[1])
        for sql in (
            f"FROM read_parquet('{lake_home}/store/lake/**/*.parquet')",
            f"COPY runs TO '{lake_home}/new.csv'",
            "COPY runs TO '.tmp/new.csv'",
            "ATTACH 'new.db'",
            "SET allowed_directories = ['/']",
            "SET temp_directory = 'x'",
            "FROM lake_home",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql).fetchall()


@pytest.mark.parametrize("name", ["o*d [x]{a,b}", "it's \\ a=b", "plain"])
def test_a_home_of_any_name_is_queried(tmp_path: Path, name: str) -> None:
    publish_small_lake(tmp_path / name)
    publish_small_lake(tmp_path / "odd [x]a7")  # what the first name would match as a pattern
    rows = crawlhouse_package.open(home=tmp_path / name).query("SELECT url FROM articles_latest WHERE url = 'https://a.example/storm'")
    assert rows.arrow().num_rows == 1
    with open_lake_for_reading(make_settings(home=tmp_path / name)) as connection, pytest.raises(duckdb.Error):
        connection.execute("COPY runs TO 'x.csv'")


ENDLESS = "SELECT count(*) FROM range(1000000000) AS a, range(1000000000) AS b"
STREAMING = "SELECT a.range FROM range(1000000000) AS a, range(1000000000) AS b"


@pytest.mark.parametrize(("sql", "form"), [(ENDLESS, "json"), (STREAMING, "jsonl"), (STREAMING, "csv")])
def test_a_query_that_takes_longer_than_its_limit_is_ended(crawlhouse: Run, tmp_path: Path, sql: str, form: str) -> None:
    ended = crawlhouse("query", sql, "-o", f"out.{form}", "--timeout", "0.5")
    assert (ended.code, list(tmp_path.iterdir())) == (11, [])
    assert "took longer than its limit of 0.5 s" in ended.err


def test_a_limit_is_a_number_above_zero_and_does_not_touch_what_is_quicker(crawlhouse: Run, lake_home: Path) -> None:
    assert crawlhouse("query", "SELECT 1 AS a", "-f", "csv", "--timeout", "60").out == "a\n1\n"
    assert crawlhouse("query", "SELECT 1", "--timeout", "0").code == 2
    with pytest.raises(TimeLimitError):
        crawlhouse_package.open(home=lake_home).query(ENDLESS, timeout=0.5).arrow()
    assert [thread.name for thread in threading.enumerate() if thread.name == "time-limit"] == []


def test_a_process_whose_query_cannot_be_interrupted_is_ended(lake_home: Path, tmp_path: Path) -> None:
    script = "import crawlhouse.sql.time_limit as t, crawlhouse.command as c; t.GRACE_SECONDS = 0.2; c.main()"
    sql = "SELECT levenshtein(repeat('ab', 300000), repeat('ba', 300000))"
    command = ("-c", script, "query", sql, "-o", "out.csv", "--timeout", "0.5")
    ended = run_command(*command, env=clean_environment(home=str(lake_home)), cwd=tmp_path, program=sys.executable)
    assert (ended.code, list(tmp_path.iterdir())) == (11, [])
    assert "took longer than its limit" in ended.err


@pytest.mark.parametrize("sql", ["DESCRIBE articles", "SUMMARIZE runs", "SHOW TABLES", "EXPLAIN SELECT 1", "VALUES (1)", "FROM runs"])
def test_everything_that_reads_is_allowed(crawlhouse: Run, sql: str) -> None:
    assert crawlhouse("query", sql).code == 0


def test_a_reader_that_leaves_ends_it_quietly(lake_home: Path, tmp_path: Path) -> None:
    script = 'crawlhouse query "SELECT * FROM articles, range(200000)" -f jsonl | head -1; echo ${PIPESTATUS[0]}'
    environment = clean_environment(home=str(lake_home))
    ended = run_command("-c", script, env=environment, cwd=tmp_path, program="/bin/bash")
    assert ended.out.splitlines()[1:] == ["141"]
    assert ended.err == ""
