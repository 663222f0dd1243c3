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
        [article(SITE + "/the-same", 1, minutes=5), capture(SITE + "/paper.pdf", "%PDF-1.4", mime="application/pdf")],
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
    """The original is not the page that was fetched first, but without dates the one with the smaller URL."""
    other, text = "https://wire.example.org", prose(1, paragraphs=12)
    late = capture(SITE + "/late", html("A", text), minutes=9)
    closed_run(sqlite_settings, CRAWL, "1", [late, capture(other + "/b", html("B", text[:-1]))])
    assert processed(sqlite_settings) == (1, 0, 1, 0, 0)
    closed_run(sqlite_settings, CRAWL, "2", [capture(other + "/c", html("C", [*text[:-1], "A line of its own."]), minutes=-60)])
    assert processed(sqlite_settings) == (0, 0, 1, 0, 0)
    columns = "url, duplicate_kind, duplicate_similarity > 0.8"
    found = rows(sqlite_settings, f"SELECT {columns} FROM articles ORDER BY sequence, fetched_at")
    assert found == [(other + "/b", "near", True), (SITE + "/late", None, None), (other + "/c", "near", True)]
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


@pytest.mark.servers_in_chaos
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


@pytest.mark.chaos
def test_twins_are_one_article_and_neither_order_nor_runs_make_versions(sqlite_settings: Settings) -> None:
    """An AMP page whose text differs a little is the article of its canonical page, which keeps its own text."""
    told, amp, own = prose(1, 10), SITE + "/story/amp", SITE + "/story"
    pages = [capture(amp, html("Story", told[:-1], own), minutes=1), capture(own, html("Story", told, own), minutes=2)]
    closed_run(sqlite_settings, CRAWL, "1", pages)
    assert processed(sqlite_settings) == (1, 1, 0, 0, 0)
    for run in ("2", "3"):
        changed = [capture(one.url, one.body.decode() + f"<!-- {run} -->", minutes=60 * int(run) + k) for k, one in enumerate(pages[::-1])]
        closed_run(sqlite_settings, CRAWL, run, changed)
        assert processed(sqlite_settings) == (0, 2, 0, 0, 0)
    assert rows(sqlite_settings, "SELECT url, version FROM articles_latest") == [(own, 1)]
    assert rows(sqlite_settings, "SELECT count(DISTINCT article_id) FROM captures") == [(1,)]
    edited = html("Story", [*told[:-1], "The council took everything back on Sunday evening, to the surprise of all."], own)
    closed_run(sqlite_settings, CRAWL, "4", [capture(own, "gone", status=410, minutes=300), capture(amp, edited, minutes=301)])
    assert processed(sqlite_settings) == (1, 0, 0, 0, 1)
    assert rows(sqlite_settings, "SELECT url, version FROM articles_latest") == [(amp, 2)], "the only page that still has it"


def test_pages_with_one_canonical_are_reported(sqlite_settings: Settings) -> None:
    pages = [capture(f"{SITE}/story.php?id={seed}", html(f"Story {seed}", prose(seed), SITE + "/story.php")) for seed in range(4)]
    closed_run(sqlite_settings, CRAWL, "1", pages)
    report = stages.process_once("news", sqlite_settings)
    assert report is not None
    assert (report.published, report.known) == (4, 0)
    assert "4 of 4 articles on news.example.com name a canonical URL" in report.text()
    ((statistics,),) = rows(sqlite_settings, "SELECT statistics FROM runs")
    assert json.loads(str(statistics))["canonical"]["refused"] == 4


def seen(settings: Settings) -> dict[str, tuple[int | None, int | None]]:
    """Minutes after noon at which each article was last seen, and gone, by the end of its URL."""
    sql = (
        "SELECT url[-1], minute(last_seen) + 60 * (hour(last_seen) - 12), minute(gone_at) + 60 * (hour(gone_at) - 12) FROM articles_latest"
    )
    return {str(url): (last, gone) for url, last, gone in rows(settings, sql)}  # type: ignore[misc]


def test_articles_are_seen_and_gone(sqlite_settings: Settings) -> None:
    def missing(url: str, minutes: int, status: int = 404) -> object:
        return capture(url, "<p>no</p>", minutes=minutes, status=status)

    urls = {name: f"{SITE}/{name}" for name in "abcdef"}
    first = closed_run(sqlite_settings, CRAWL, "1", [article(url, seed) for seed, url in enumerate(urls.values())])
    processed(sqlite_settings)
    assert seen(sqlite_settings) == dict.fromkeys(urls, (0, None))
    second = [
        article(urls["a"], 0, 20),  # as it was
        capture(urls["b"], "", minutes=21, status=304),
        missing(urls["c"], 22),
        capture(urls["d"], html("List", []), minutes=23),  # read in full, no article
        missing(urls["e"], 24, 503),  # says nothing; f was not due
    ]
    closed_run(sqlite_settings, CRAWL, "2", second, refers_to={urls["b"]: first[1]})  # type: ignore[arg-type]
    processed(sqlite_settings)
    expected = {"a": (20, None), "b": (21, None), "c": (0, 22), "d": (0, 23), "e": (0, None), "f": (0, None)}
    assert seen(sqlite_settings) == expected
    closed_run(sqlite_settings, CRAWL, "3", [missing(urls["c"], 30, 410), article(urls["d"], 3, 31)])  # type: ignore[list-item]
    closed_run(sqlite_settings, CRAWL, "4", [article(urls["c"], 9, 40), missing(urls["d"], 41)])  # type: ignore[list-item]
    processed(sqlite_settings)  # both crawl runs at once
    assert seen(sqlite_settings) == expected | {"c": (40, None), "d": (31, 41)}
    assert rows(sqlite_settings, "SELECT count(*) FROM articles_latest WHERE gone_at IS NULL") == [(5,)]


def test_an_article_is_gone_when_its_last_page_is(sqlite_settings: Settings) -> None:
    own, twin = SITE + "/a", SITE + "/print/a"
    closed_run(sqlite_settings, CRAWL, "1", [article(own, 1, canonical=own), article(twin, 1, canonical=own)])
    closed_run(sqlite_settings, CRAWL, "2", [capture(own, "no", status=404, minutes=10)])
    processed(sqlite_settings)
    assert seen(sqlite_settings) == {"a": (0, None)}
    closed_run(sqlite_settings, CRAWL, "3", [capture(twin, "no", status=404, minutes=20)])
    processed(sqlite_settings)
    assert seen(sqlite_settings) == {"a": (0, 20)}
    closed_run(sqlite_settings, CRAWL, "4", [article(twin, 1, 30, canonical=own)])
    processed(sqlite_settings)
    assert seen(sqlite_settings) == {"a": (30, None)}


def test_a_backlog_is_taken_in_portions(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    crawl = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"]})
    names = [f"news-20260301T120000Z-{number:06d}" for number in range(3)]
    for number in range(3):
        pages = [capture(f"https://a.example/{number}/{page}", html("List", ["short"]), minutes=number) for page in range(2)]
        closed_run(sqlite_settings, crawl, str(number), pages)
    assert _planned(sqlite_settings) == names
    monkeypatch.setattr(stages, "MAX_RECORDS", 5)
    assert _planned(sqlite_settings) == names[:2]
    monkeypatch.setattr(stages, "MAX_RECORDS", 1)
    assert _planned(sqlite_settings) == names[:1], "a large one goes alone"
    report = stages.process_once("news", sqlite_settings)
    assert report is not None
    assert report.crawl_runs == (names[0],)
    assert stages.is_backlog_left(report.process_run, sqlite_settings)
    assert _planned(sqlite_settings) == names[1:2]


def _planned(settings: Settings) -> list[str]:
    run = stages.plan("news", settings)
    assert run is not None
    return list(run.crawl_runs)
