"""`crawlhouse show`: the row, the stored capture behind it, and what happens when one of them is missing."""

from __future__ import annotations

import json
from pathlib import Path

from crawlhouse.sql.query import open_lake_for_reading, read_rows
from schemas.config.settings import make_settings
from storage.lake.lake import open_lake
from tests.crawlhouse.conftest import Run
from tests.crawlhouse.smalllake import ARTICLE, COPY, MISSING, PAGE, PROCESS_RUN, TEXT, publish_small_lake
from tests.storage.lakerows import table_of


def test_the_last_version_beside_its_capture(crawlhouse: Run) -> None:
    ended = crawlhouse("show", ARTICLE)
    assert (ended.code, ended.err) == (0, "")
    for expected in ("Sturm in Köln", "json-ld", "published", "HTTP/1.1 200 OK", "Set-Cookie", "Versions", COPY, "(computed again: equal)"):
        assert expected in ended.out
    for expected in ("<title>", "Ada B.; C, D", "not found by this version's code", "2026-01-01 12:00:00 UTC"):
        assert expected in ended.out


def test_json_for_programs(crawlhouse: Run) -> None:
    found = json.loads(crawlhouse("show", COPY, "--format", "json").out)
    assert (found["article"]["duplicate_of"], found["duplicate_of_url"]) == ("storm", ARTICLE)
    assert found["sources"]["published_at"] == "json-ld"
    assert found["sources"]["title"] == "<title>"
    assert found["sources"]["authors"] == "not found by this version's code"
    assert found["capture"]["headers"][2:] == [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]
    assert found["outcome"]["outcome"] == "duplicate"
    assert found["archive_problem"] is None


def test_text_html_and_the_record(crawlhouse: Run) -> None:
    assert crawlhouse("show", ARTICLE, "--text").out == TEXT + "\n"
    assert crawlhouse("show", ARTICLE, "--html").out == PAGE + "<p>1\n"
    ended = crawlhouse("show", COPY, "--raw")
    assert ended.raw.startswith(b"WARC/1.1\r\nWARC-Type: response\r\n")
    assert ended.raw.endswith(b"\r\n\r\n")


def test_a_quarantined_row_has_its_sources_too(crawlhouse: Run, tmp_path: Path) -> None:
    publish_small_lake(tmp_path / "home")
    settings = make_settings(home=tmp_path / "home")
    (row,) = read_rows(open_lake_for_reading(settings), "SELECT * FROM articles WHERE url = $1 AND version = 1", ARTICLE)
    verdict = {"reason": "too_short", "rule": "length", "detail": "41 characters"}
    with open_lake(settings) as lake:
        lake.append("quarantine", [table_of("quarantine", row | verdict | {"url": "https://a.example/held"})], PROCESS_RUN)
    ended = crawlhouse("show", "https://a.example/held", home=str(settings.home))
    assert "Quarantined row" in ended.out
    assert "<title>" in ended.out
    assert "not found by this version's code" in ended.out


def test_a_page_that_became_no_article(crawlhouse: Run) -> None:
    ended = crawlhouse("show", MISSING)
    assert "rejected" in ended.out
    assert "http_error: the status is 404" in ended.out
    ended = crawlhouse("show", MISSING, "--text")
    assert (ended.code, ended.out) == (3, "")
    assert "it was rejected (http_error)" in ended.err


def test_an_unknown_url_brings_similar_ones(crawlhouse: Run) -> None:
    ended = crawlhouse("show", "https://a.example/strom")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.splitlines()[1].strip() == ARTICLE
    ended = crawlhouse("show", "strom")
    assert (ended.code, "strom is no whole URL" in ended.err) == (3, True)


def test_one_view_at_a_time(crawlhouse: Run) -> None:
    assert crawlhouse("show", ARTICLE, "--text", "--html").code == 2


def test_the_row_is_shown_when_its_archive_is_damaged(crawlhouse: Run, tmp_path: Path) -> None:
    publish_small_lake(tmp_path / "home")
    segment = next((tmp_path / "home" / "store" / "warc").rglob("*.warc.gz"))
    whole = segment.read_bytes()
    for damaged in (whole[:2400], whole[:2300] + bytes(300) + whole[2600:], None):
        segment.unlink() if damaged is None else segment.write_bytes(damaged)
        ended = crawlhouse("show", ARTICLE, home=str(tmp_path / "home"))
        assert ended.code == 0
        assert "Sturm in Köln" in ended.out
        assert "the stored page cannot be read" in ended.out
        assert "The archive: " in ended.err
        for view in ("--html", "--raw"):
            ended = crawlhouse("show", ARTICLE, view, home=str(tmp_path / "home"))
            assert (ended.code, ended.out) == (5, "")


def test_a_lake_that_was_moved_says_so(crawlhouse: Run, tmp_path: Path) -> None:
    publish_small_lake(tmp_path / "home")
    (tmp_path / "home").rename(tmp_path / "moved")
    ended = crawlhouse("show", ARTICLE, home=str(tmp_path / "moved"))
    assert ended.code == 5
    assert "Traceback" not in ended.err
