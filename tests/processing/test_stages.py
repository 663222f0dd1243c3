"""The stages from WARC to lake: outcomes, versions, duplicates, the equations, and running again."""

from __future__ import annotations

from processing import stages
from schemas.capture import UrlKind
from schemas.crawl import Crawl
from schemas.settings import Settings
from storage.lakequery import connect
from tests.processing.crawlruns import article, capture, closed_run, html

SITE = "https://news.example.com"
CRAWL = Crawl.model_validate({"name": "news", "seeds": [SITE + "/"]})


def rows(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with connect(settings) as connection:
        return connection.sql(sql).fetchall()


def test_every_record_gets_its_outcome(lake_settings: Settings) -> None:
    closed_run(
        lake_settings,
        CRAWL,
        "1",
        [
            article(SITE + "/one", 1),
            capture(SITE + "/robots.txt", "User-agent: *", kind=UrlKind.ROBOTS, mime="text/plain"),
            capture(SITE + "/missing", "<p>gone</p>", status=404),
            capture(SITE + "/moved", "", status=301),
            capture(SITE + "/short", html("Short", ["Not many words here."])),
        ],
        [article(SITE + "/copy", 1, minutes=5), capture(SITE + "/paper.pdf", "%PDF-1.4", mime="application/pdf")],
    )
    report = stages.process_once("news", lake_settings)
    assert report is not None
    assert (report.records, report.published, report.duplicate, report.quarantined, report.rejected) == (7, 1, 1, 1, 4)
    found = rows(lake_settings, "SELECT outcome, reason, count(*) FROM captures GROUP BY ALL ORDER BY ALL")
    assert found == [
        ("duplicate", None, 1),
        ("published", None, 1),
        ("quarantined", "too_short", 1),
        ("rejected", "http_error", 1),
        ("rejected", "not_html", 1),
        ("rejected", "redirect", 1),
        ("rejected", "robots_file", 1),
    ]
    (one, copy) = rows(
        lake_settings, "SELECT article_id, duplicate_of, duplicate_kind, language, version FROM articles ORDER BY fetched_at"
    )
    assert copy[1:] == (one[0], "exact", "en", 1)
    assert one[1:] == (None, None, "en", 1)
    assert rows(lake_settings, "SELECT records, published, rejected, segments FROM runs") == [(7, 1, 4, 2)]
    assert stages.process_once("news", lake_settings) is None
