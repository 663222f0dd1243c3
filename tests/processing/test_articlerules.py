"""What users add to `articles`: fields, steps, expectations and drift, in `articles.yaml` and in the crawl's own file."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from processing import stages
from processing.publish.report import RunReport
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from storage.ledger.held import list_held
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.processing.crawlruns import article, capture, closed_run, html, prose
from tests.processing.test_datasets import rows, with_dataset

pytestmark = pytest.mark.servers_in_chaos

SITE = "https://news.example.com"
NEWS = {"name": "news", "seeds": [SITE + "/"]}
CRAWL = Crawl.model_validate(NEWS)
RUNS = [f"news-20260301T120000Z-00000{number}" for number in range(5)]
TOPICS = """import pyarrow as pa
import pyarrow.compute as pc


def add_topic(batch):
    assert set(batch.schema.names) >= {"text", "title", "url", "language", "fetched_at", "topic"}
    assert all(block["text"] and block["start"] is None for blocks in batch["blocks"].to_pylist() for block in blocks)
    topics = pc.if_else(pc.match_substring(batch["url"], "sport"), "sport", "news")
    return batch.append_column("topic", topics)


def refuse_odd(batch):
    if any("odd" in url for url in batch["url"].to_pylist()):
        raise ValueError("an odd page")
    return batch
"""
NUMBERS = itertools.count()
WITH_TOPIC = "extends: articles\nfields:\n  topic: {type: string, description: What it is about.}\nsteps: [NAME:add_topic]\n"
NOT_STORY_3 = {"type": "expect_column_values_to_not_match_regex", "column": "title", "regex": "Story 3"}

BLOCKS_HAVE_TEXTS = {"type": "expect_column_values_to_match_regex", "column": "blocks", "regex": r'"text": "\w', "severity": "critical"}


def with_articles(settings: Settings, text: str, source: str = TOPICS) -> Settings:
    """The settings with `articles.yaml` and a module of steps, of another name each time: a process imports a module once."""
    settings.crawls.mkdir(exist_ok=True)
    module = f"topics_{next(NUMBERS)}"
    (settings.crawls / f"{module}.py").write_text(source)
    return with_dataset(settings, text.replace("NAME", module), "articles")


def expecting(*expectations: dict[str, Any], drift: list[dict[str, Any]] | None = None) -> Crawl:
    return Crawl.model_validate({**NEWS, "expectations": {"articles": expectations}, "drift": {"articles": drift or []}})


def processed(settings: Settings) -> RunReport:
    report = stages.process_once("news", settings)
    assert report is not None
    return report


def test_articles_get_a_field_that_a_step_fills(lake_settings: Settings) -> None:
    closed_run(lake_settings, CRAWL, "1", [article(SITE + "/1", 1)])
    processed(lake_settings)
    settings = with_articles(lake_settings, WITH_TOPIC)
    pages = [article(SITE + "/1", 1, 60), article(SITE + "/2", 2, 61), article(SITE + "/sport/3", 3, 62), capture(SITE + "/no", "no", 63)]
    closed_run(settings, CRAWL, "2", pages)
    report = processed(settings)
    assert (report.published, report.known, report.rejected, report.held) == (2, 1, 1, {})
    found = rows(settings, "SELECT url, topic FROM articles ORDER BY url")
    assert found == [(SITE + "/1", None), (SITE + "/2", "news"), (SITE + "/sport/3", "sport")]
    assert rows(settings, "SELECT topic FROM articles_latest ORDER BY url") == [(None,), ("news",), ("sport",)]
    (settings.datasets_folder() / "articles.yaml").unlink()  # the column stays, and is NULL in new rows
    closed_run(settings, CRAWL, "3", [article(SITE + "/4", 4, 120)])
    processed(settings)
    assert rows(settings, "SELECT topic FROM articles WHERE url LIKE '%/4'") == [(None,)]


def test_an_article_that_breaks_a_step_goes_to_quarantine_and_its_copy_is_the_original(sqlite_settings: Settings) -> None:
    steps = WITH_TOPIC.replace("[NAME:add_topic]", "[NAME:add_topic, {step: NAME:refuse_odd, on_error: quarantine}]")
    settings = with_articles(sqlite_settings, steps)
    closed_run(settings, CRAWL, "1", [article(SITE + "/odd/1", 1), article(SITE + "/copy", 1, 1), article(SITE + "/2", 2, 2)])
    report = processed(settings)
    assert (report.published, report.duplicate, report.quarantined) == (2, 0, 1)
    assert rows(settings, "SELECT url, topic, duplicate_of FROM articles ORDER BY url") == [
        (SITE + "/2", "news", None),
        (SITE + "/copy", "news", None),
    ]
    ((url, reason, rule, detail, row_json, title),) = rows(settings, "SELECT url, reason, rule, detail, row_json, title FROM quarantine")
    assert (url, reason, rule, row_json, title) == (SITE + "/odd/1", "step", "step", None, "Story 1")
    assert re.fullmatch(r"topics_\d+:refuse_odd: ValueError: an odd page \(topics_\d+\.py, line 14\)", detail)
    assert rows(settings, "SELECT outcome, reason FROM captures WHERE url LIKE '%odd%'") == [("quarantined", "step")]


def test_a_step_that_breaks_holds_back_the_articles_of_its_crawl_run(sqlite_settings: Settings) -> None:
    settings = with_articles(sqlite_settings, WITH_TOPIC.replace("add_topic", "refuse_odd"))
    settings = with_dataset(settings, "source: {selectors: {title: h1}}\nkey: [url]\n", "titles")
    crawl = CRAWL.model_copy(update={"datasets": ("articles", "titles")})
    closed_run(settings, crawl, "1", [article(SITE + "/odd/1", 1), article(SITE + "/2", 2, 1)])
    closed_run(settings, crawl, "2", [article(SITE + "/2", 2, 60), article(SITE + "/3", 3, 61)])
    report = processed(settings)
    assert list(report.held) == [RUNS[1]]
    assert re.match(
        r"the step topics_\d+:refuse_odd broke: ValueError: an odd page \(topics_\d+\.py, line", report.held[RUNS[1]]["articles"]
    )
    assert rows(settings, "SELECT url, crawl_run FROM articles ORDER BY url") == [(SITE + "/2", RUNS[2]), (SITE + "/3", RUNS[2])]
    assert rows(settings, "SELECT count(*) FROM titles") == [(3,)]


def test_a_warning_sends_articles_to_quarantine(lake_settings: Settings) -> None:
    crawl = expecting({**NOT_STORY_3, "severity": "warning"}, {**NOT_STORY_3, "regex": "Story 9", "severity": "info"}, BLOCKS_HAVE_TEXTS)
    pages = [article(SITE + "/3", 3), article(SITE + "/4", 4, 1), article(SITE + "/9", 9, 2)]
    copy = capture(SITE + "/copy", html("Another title", prose(3)), 3)
    closed_run(lake_settings, crawl, "1", [*pages, copy])
    report = processed(lake_settings)
    assert (report.published, report.duplicate, report.quarantined, report.held) == (3, 0, 1, {})
    assert report.datasets["articles"] == {"made": 4, "published": 3, "unchanged": 0, "quarantined": 1}
    assert rows(lake_settings, "SELECT url FROM articles ORDER BY url") == [(SITE + "/4",), (SITE + "/9",), (SITE + "/copy",)]
    rule = "expectation:expect_column_values_to_not_match_regex"
    assert rows(lake_settings, "SELECT url, reason, rule, detail, version, row_json FROM quarantine") == [
        (SITE + "/3", rule, rule, 'title "Story 3": expected to not match regex (regex Story 3)', 0, None)
    ]
    results = json.loads(open_store(lake_settings).get_bytes(f"reports/{report.process_run}/expectations.json"))["results"]
    of_user = [one for one in results if one["columns"] == ["title"]]
    assert [(one["severity"], one["unexpected"]) for one in of_user] == [
        ("warning", [{"url": SITE + "/3", "values": 'title "Story 3"'}]),
        ("info", [{"url": SITE + "/9", "values": 'title "Story 9"'}]),
    ]
    assert len(results) > len(of_user), "the package's own suite is judged with them"


@pytest.mark.chaos
def test_a_critical_expectation_holds_back_one_crawl_run_of_two(sqlite_settings: Settings) -> None:
    crawl = expecting(NOT_STORY_3)
    closed_run(sqlite_settings, crawl, "1", [article(SITE + "/3", 3), article(SITE + "/4", 4, 1)])
    closed_run(sqlite_settings, crawl, "2", [article(SITE + "/4", 4, 60), article(SITE + "/5", 5, 61)])
    report = processed(sqlite_settings)
    expected = "1 row, expected to not match regex (regex Story 3)"
    why = f'expect_column_values_to_not_match_regex(title): {expected}; first from {SITE}/3 (title "Story 3")'
    assert report.held == {RUNS[1]: {"articles": why}}
    assert rows(sqlite_settings, "SELECT url, version, crawl_run FROM articles ORDER BY url") == [
        (SITE + "/4", 1, RUNS[2]),
        (SITE + "/5", 1, RUNS[2]),
    ]
    assert rows(sqlite_settings, f"SELECT DISTINCT outcome, reason, detail FROM captures WHERE crawl_run = '{RUNS[1]}'") == [
        ("rejected", "held", why)
    ]
    ledger = open_ledger(sqlite_settings)
    assert [(one.crawl_run, one.dataset, one.reason) for one in list_held(ledger.database)] == [(RUNS[1], "articles", why)]
    ledger.close()
    closed_run(sqlite_settings, crawl, "3", [article(SITE + "/4", 4, 120), article(SITE + "/6", 6, 121)])
    report = processed(sqlite_settings)
    assert (report.published, report.known, report.held) == (1, 1, {})
    closed_run(sqlite_settings, crawl, "4", [article(SITE + "/3", 3, 180), article(SITE + "/4", 4, 181), article(SITE + "/5", 55, 182)])
    assert list(processed(sqlite_settings).held) == [RUNS[4]]
    seen = [crawl_run for (crawl_run,) in rows(sqlite_settings, "SELECT DISTINCT crawl_run FROM sightings")]
    assert seen == [RUNS[3]], "a run that is held back has seen nothing"
    assert rows(sqlite_settings, "SELECT count(*), count(gone_at) FROM articles_latest") == [(3, 0)], "and misses nothing"


def test_drift_of_articles(sqlite_settings: Settings) -> None:
    crawl = expecting(drift=[{"measure": "row_count"}])
    seed = 0
    for number, count in enumerate([3, 3, 3, 9], 1):
        closed_run(sqlite_settings, crawl, str(number), [article(f"{SITE}/{seed + one}", seed + one, number * 60) for one in range(count)])
        seed += count
        report = processed(sqlite_settings)
        assert bool(report.held) == (number == 4)
    assert "row_count was expected between 1.5 and 4.5 after 3 runs; it is 9" in "".join(report.held_sentences())
    ((statistics,),) = rows(sqlite_settings, f"SELECT statistics FROM runs WHERE crawl_run = '{RUNS[1]}'")
    assert json.loads(statistics)["measures"]["articles"]["row_count"] == 3


def test_expectations_of_a_field_that_a_step_fills(sqlite_settings: Settings) -> None:
    text = WITH_TOPIC + "expectations: [{type: expect_column_values_to_be_in_set, column: topic, value_set: [news], severity: warning}]\n"
    settings = with_articles(sqlite_settings, text)
    closed_run(settings, CRAWL, "1", [article(SITE + "/1", 1), article(SITE + "/sport/2", 2, 1)])
    processed(settings)
    assert rows(settings, "SELECT topic FROM articles") == [("news",)]
    assert rows(settings, "SELECT url, row_json FROM quarantine") == [(SITE + "/sport/2", '{"topic": "sport"}')]
