"""The connection for one URL shows of it what the whole lake shows, and reads few files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from crawlhouse.reports.url_report import BY_CANONICAL_URL, BY_URL, CAPTURES, DUPLICATES, IN_QUARANTINE, ORIGINAL, PLACE, VERSIONS
from schemas.config.settings import Settings, make_settings
from storage.lake.lake import open_lake
from storage.lake.query import connect, connect_for_url
from storage.lake.reader.published_runs import MIN_FILES, NAME
from storage.lake.sources import SOURCES
from tests.storage.lakerows import table_of

A, B, C, PLAIN = ("https://a.example/x", "https://a.example/x?again", "https://b.example/copy", "https://c.example/alone")
# one publication each: run, URL, canonical URL, article, version, original
ROWS = (
    ("p1", A, None, "a", 1, None),
    ("p2", B, A, "a", 2, None),
    ("p3", C, None, "c", 1, "a"),
    ("p4", C, None, "c", 2, None),
    ("p5", PLAIN, None, "plain", 1, None),
    ("p6", "https://d.example/", "https://e.example/", "d", 1, "plain"),
    ("p7", "https://e.example/", None, "e", 1, None),  # not published
)
UNPUBLISHED = "p7"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = make_settings(home=tmp_path_factory.mktemp("home"))
    with open_lake(settings) as lake:
        for number, (run, url, canonical, article, version, original) in enumerate(ROWS):
            origin = {"process_run": run, "url": url, "sequence": number}
            row = origin | {"article_id": article, "version": version, "canonical_url": canonical, "duplicate_of": original}
            lake.append("articles", [table_of("articles", row | {"duplicate_kind": "exact" if original else None})], run)
            lake.append("captures", [table_of("captures", origin)], run)
            if run != UNPUBLISHED:
                lake.append("runs", [table_of("runs", origin)], run)
    return settings


def answers(lake: duckdb.DuckDBPyConnection, url: str) -> list[list[tuple[object, ...]]]:
    """What the report asks of a URL."""
    by_url = [(BY_URL, url), (BY_CANONICAL_URL, url), (IN_QUARANTINE, url)]
    found = [
        lake.execute(sql.format(place=f"article_id, duplicate_of, {', '.join(PLACE)}" if "articles" in sql else "url"), [value]).fetchall()
        for sql, value in by_url
    ]
    article, original, shown = next(((row[0], row[1], row[3]) for row in (*found[0], *found[1])), ("", "", url))
    rest: Sequence[tuple[str, object]] = [
        (CAPTURES, url),
        (CAPTURES, shown),
        (VERSIONS, article),
        (DUPLICATES, article),
        (ORIGINAL, original),
    ]
    return found + [lake.execute(sql, [value]).fetchall() for sql, value in rest]


@pytest.mark.parametrize("url", [*sorted({row[1] for row in ROWS}), "https://nowhere.example/"])
def test_a_url_has_the_same_rows_in_fewer_files(settings: Settings, url: str) -> None:
    with connect(settings) as whole, connect_for_url(settings, url) as narrow:
        expected = answers(whole, url)
        assert answers(narrow, url) == expected
        assert any(expected) == (url != "https://nowhere.example/")
        assert narrow.sql("SELECT count(*) FROM articles").fetchall()[0][0] < len(ROWS) - 1


def test_the_published_runs_are_kept_until_there_is_another(tmp_path: Path) -> None:
    settings = make_settings(home=tmp_path / "home")

    def publish(number: int) -> None:
        with open_lake(settings) as lake:
            lake.append(
                "articles", [table_of("articles", {"process_run": f"p{number}", "url": f"https://{number}.example/"})], f"p{number}"
            )
            lake.append("runs", [table_of("runs", {"process_run": f"p{number}", "sequence": number})], f"p{number}")

    def shown() -> int:
        with connect(settings) as lake:
            (count,) = lake.sql("SELECT count(*) FROM articles").fetchall()[0]
            return int(count)

    for number in range(MIN_FILES):
        publish(number)
    kept = settings.home / NAME
    assert (shown(), kept.exists()) == (MIN_FILES, True)
    assert kept.stat().st_mode & 0o077 == 0
    before = kept.stat().st_mtime_ns
    assert (shown(), kept.stat().st_mtime_ns) == (MIN_FILES, before)
    publish(MIN_FILES)
    assert shown() == MIN_FILES + 1
    assert kept.stat().st_mtime_ns > before
    kept.write_bytes(b"PAR1")
    assert shown() == MIN_FILES + 1
    with connect(settings) as lake:
        assert lake.sql(f"SELECT count(*) FROM {SOURCES}.published").fetchall() == [(MIN_FILES + 1,)]
