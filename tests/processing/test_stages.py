"""The stages from WARC to lake: outcomes, versions, duplicates, the equations, and running again."""

from __future__ import annotations

import json

import pytest

from processing import stages
from processing.workers.pool import Limits, run_limited
from schemas.capture import UrlKind
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from storage.lake.query import connect
from tests.processing.crawlruns import article, capture, closed_run, html, prose

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
            capture(SITE + "/2026/03/short-notice", html("Short notice", [prose(9)[0][:120]])),
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


def test_a_list_without_a_body_is_rejected_for_its_status(sqlite_settings: Settings) -> None:
    answers = [
        capture(SITE + "/robots.txt", "none", kind=UrlKind.ROBOTS, status=404, mime="text/plain"),
        capture(SITE + "/feed", "", kind=UrlKind.FEED, status=301),
        capture(SITE + "/sitemap.xml", "<urlset/>", kind=UrlKind.SITEMAP, mime="text/xml"),
    ]
    closed_run(sqlite_settings, CRAWL, "1", answers)
    assert processed(sqlite_settings) == (0, 0, 0, 0, 3)
    assert rows(sqlite_settings, "SELECT kind, reason FROM captures ORDER BY kind") == [
        ("feed", "redirect"),
        ("robots", "http_error"),
        ("sitemap", "sitemap"),
    ]
    ((statistics,),) = rows(sqlite_settings, "SELECT statistics FROM runs")
    assert json.loads(str(statistics))["fetch"]["host_count"] == 0  # of a run that no worker fetched


def processed(settings: Settings) -> tuple[int, int, int, int, int]:
    """Process all closed runs; (published, known, duplicate, quarantined, rejected)."""
    report = stages.process_once("news", settings)
    assert report is not None
    return report.published, report.known, report.duplicate, report.quarantined, report.rejected


def test_a_second_visit_stores_only_changes(sqlite_settings: Settings) -> None:
    """Boilerplate is removed, also when it is learned later. Payloads seen before, unchanged texts and 304s are known."""
    furniture = ["The harbour desk of this paper answers letters on weekdays between nine and noon."]
    pages = {f"{SITE}/{i}": prose(i) for i in range(1, 5)}
    first = closed_run(sqlite_settings, CRAWL, "1", [capture(SITE + "/1", html("1", pages[SITE + "/1"] + furniture))])
    assert processed(sqlite_settings) == (1, 0, 0, 0, 0)
    captures = [capture(url, html(url[-1], text + furniture) + "<!-- new -->", minutes=60) for url, text in pages.items()]
    second = closed_run(sqlite_settings, CRAWL, "2", captures)
    assert processed(sqlite_settings) == (3, 1, 0, 0, 0)
    assert rows(sqlite_settings, "SELECT url FROM articles WHERE text LIKE '%harbour desk%'") == [(SITE + "/1",)]

    edited = [*pages[SITE + "/2"], "The council has since taken back its vote on the bridge, to everyone's surprise."]
    third = [captures[0], capture(SITE + "/2", html("2", edited + furniture), minutes=90)]
    third += [capture(SITE + "/2", html("2", pages[SITE + "/2"] + furniture), minutes=120)]
    unchanged = [capture(first[0].url, "", minutes=61, status=304), capture(SITE + "/4", "", minutes=61, status=304)]
    closed_run(sqlite_settings, CRAWL, "3", third, unchanged, refers_to={SITE + "/4": second[3]})
    assert processed(sqlite_settings) == (2, 2, 0, 0, 1)
    assert rows(sqlite_settings, "SELECT version FROM articles WHERE url LIKE '%/2' ORDER BY version") == [(1,), (2,), (3,)]
    known = (
        "SELECT c.url, record_type, version FROM captures c JOIN articles_latest USING (article_id) WHERE outcome = 'known' ORDER BY ALL"
    )
    assert rows(sqlite_settings, known) == [(SITE + "/1", "response", 1)] * 2 + [(SITE + "/4", "revisit", 1)]


def test_near_duplicates_across_hosts_and_runs(sqlite_settings: Settings) -> None:
    other, text = "https://wire.example.org", prose(1, paragraphs=12)
    late = capture(SITE + "/late", html("A", text), minutes=9)
    closed_run(sqlite_settings, CRAWL, "1", [late, capture(other + "/b", html("B", text[:-1]))])
    assert processed(sqlite_settings) == (1, 0, 1, 0, 0)
    closed_run(sqlite_settings, CRAWL, "2", [capture(other + "/c", html("C", [*text[:-1], "A line of its own."]), minutes=-60)])
    assert processed(sqlite_settings) == (0, 0, 1, 0, 0)
    columns = "url, duplicate_kind, duplicate_similarity > 0.8"
    found = rows(sqlite_settings, f"SELECT {columns} FROM articles ORDER BY sequence, fetched_at")
    assert found == [(other + "/b", None, None), (SITE + "/late", "near", True), (other + "/c", "near", True)]
    assert rows(sqlite_settings, "SELECT count(DISTINCT duplicate_of) FROM articles") == [(1,)]


def test_a_damaged_segment_still_adds_up(sqlite_settings: Settings) -> None:
    written = closed_run(sqlite_settings, CRAWL, "1", [article(f"{SITE}/{i}", i) for i in range(3)])
    path = sqlite_settings.home / "store" / written[1].warc_filename
    data = bytearray(path.read_bytes())
    data[written[1].warc_record_offset + 40 : written[1].warc_record_offset + 60] = bytes(20)
    path.write_bytes(data)
    assert processed(sqlite_settings) == (2, 0, 0, 0, 1)
    assert rows(sqlite_settings, "SELECT url, reason FROM captures WHERE outcome = 'rejected'") == [(SITE + "/1", "damaged_record")]


def test_a_page_that_takes_too_long_affects_no_other(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_limited, "__defaults__", (None, Limits(seconds=3), ()))
    nested = "<div>" * 100_000 + "text" + "</div>" * 100_000
    closed_run(sqlite_settings, CRAWL, "1", [article(SITE + "/one", 1), capture(SITE + "/deep", nested), article(SITE + "/two", 2)])
    assert processed(sqlite_settings) == (2, 0, 0, 0, 1)
    assert rows(sqlite_settings, "SELECT reason FROM captures WHERE outcome = 'rejected'") == [("page_timeout",)]


def test_where_a_host_has_its_articles_is_known_in_the_next_run(lake_settings: Settings) -> None:
    def page(seed: int, beside: str = "") -> str:
        story = "".join(f"<p>{paragraph}</p>" for paragraph in prose(seed))
        head = f"<title>Story {seed} of the harbour</title><meta property='og:type' content='article'>"
        body = f"<main class='harbour-page'><div class='harbour-column'>{story}</div>{beside}</main>"
        return f"<html lang=en><head>{head}</head><body>{body}</body></html>"

    beside = "<div class='harbour-extra'>" + "".join(f"<p>{paragraph}</p>" for paragraph in prose(99)) + "</div>"
    closed_run(lake_settings, CRAWL, "1", [capture(f"{SITE}/2026/03/story-{seed}", page(seed)) for seed in range(3)])
    closed_run(lake_settings, CRAWL, "2", [capture(f"{SITE}/2026/03/story-8", page(8, beside), minutes=1)])
    first = stages.plan("news", lake_settings)
    assert first is not None
    assert len(first.crawl_runs) == 2
    assert stages.process_once("news", lake_settings) is not None
    closed_run(lake_settings, CRAWL, "3", [capture(f"{SITE}/2026/03/story-9", page(9, beside), minutes=2)])
    assert stages.process_once("news", lake_settings) is not None
    texts = dict(rows(lake_settings, "SELECT url, text FROM articles"))  # type: ignore[arg-type]
    assert prose(99)[0] in texts[f"{SITE}/2026/03/story-8"]
    assert texts[f"{SITE}/2026/03/story-9"].split("\n") == prose(9)
    sure = dict(rows(lake_settings, "SELECT url, confidence FROM articles"))  # type: ignore[arg-type]
    assert sure[f"{SITE}/2026/03/story-8"] < sure[f"{SITE}/2026/03/story-1"]
