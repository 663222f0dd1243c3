"""`crawlhouse query`: formats, limits, and what it refuses."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.crawlhouse.conftest import Run, clean_environment, run_command
from tests.crawlhouse.smalllake import ARTICLE, COPY

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
        ("SELECT * FROM nope", 3, "There are: articles, articles_latest, captures, quarantine, runs."),
        ("SELEC 1", 2, "The SQL is not understood"),
        ("SELECT nope FROM articles", 2, 'Referenced column "nope" not found'),
        ("SELECT title::INT FROM articles", 2, "Could not convert string"),
        ("SELECT 1; SELECT 2", 2, "One SQL statement is needed, but 2 were given"),
        ("", 2, "One SQL statement is needed"),
        ("DROP VIEW articles", 2, "this one is DROP"),
        ("COPY articles TO 'stolen.csv'", 2, "this one is COPY"),
        ("EXPLAIN ANALYZE COPY articles TO 'stolen.csv'", 2, "this one is COPY"),
        ("EXPLAIN /* x */ ANALYZE COPY articles TO 'stolen.csv'", 2, "Error"),
        ("SELECT * FROM read_text('/etc/hostname')", 2, "reads the lake's tables only"),
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


@pytest.mark.parametrize("sql", ["DESCRIBE articles", "SUMMARIZE runs", "SHOW TABLES", "EXPLAIN SELECT 1", "VALUES (1)", "FROM runs"])
def test_everything_that_reads_is_allowed(crawlhouse: Run, sql: str) -> None:
    assert crawlhouse("query", sql).code == 0


def test_a_reader_that_leaves_ends_it_quietly(lake_home: Path, tmp_path: Path) -> None:
    script = 'crawlhouse query "SELECT * FROM articles, range(200000)" -f jsonl | head -1; echo ${PIPESTATUS[0]}'
    environment = clean_environment(home=str(lake_home))
    ended = run_command("-c", script, env=environment, cwd=tmp_path, program="/bin/bash")
    assert ended.out.splitlines()[1:] == ["141"]
    assert ended.err == ""
