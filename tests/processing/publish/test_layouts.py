"""Hosts whose layout changes from one run to the next are reported."""

from __future__ import annotations

import json

import pytest

from processing import stages
from processing.publish.layouts import MAX_RUNS, HostLayout, change_of
from processing.publish.report import RunReport
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from storage.lake.query import connect
from tests.processing.crawlruns import capture, closed_run, prose

SITE = "https://news.example.com"
CRAWL = Crawl.model_validate({"name": "news", "seeds": [SITE + "/"]})
OLD = '<div class="page"><div class="entry-content"><h1>{title}</h1>{text}</div></div>'
NEW = '<div id="app"><section class="story-text"><h1>{title}</h1>{text}</section></div>'


def page(seed: int, template: str, host: str = SITE) -> Capture:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in prose(seed))
    body = template.format(title=f"Story {seed}", text=text)
    return capture(f"{host}/{seed}", f"<html lang=en><head><title>Story {seed}</title></head><body>{body}</body></html>", seed)


def processed(settings: Settings) -> RunReport:
    report = stages.process_once("news", settings)
    assert report is not None
    return report


def test_a_new_template_is_reported_once(sqlite_settings: Settings) -> None:
    other = "https://other.example.com"
    closed_run(sqlite_settings, CRAWL, "1", [page(seed, OLD) for seed in range(6)] + [page(seed, OLD, other) for seed in range(6)])
    assert processed(sqlite_settings).layouts == ()
    second = [page(seed, NEW) for seed in range(10, 16)] + [page(seed, OLD, other) for seed in range(10, 16)]
    closed_run(sqlite_settings, CRAWL, "2", second)
    report = processed(sqlite_settings)
    (line,) = report.layouts
    assert line.startswith("news.example.com (6 pages): the articles are in section.story-text, before in div.entry-content.")
    assert f"layout changed: {line}" in report.text()
    assert RunReport.from_json(report.to_json()) == report
    with connect(sqlite_settings) as connection:
        ((statistics,),) = connection.sql("SELECT statistics FROM runs ORDER BY sequence DESC LIMIT 1").fetchall()
    layouts = json.loads(statistics)["layouts"]
    assert [change["host"] for change in layouts["changed"]] == ["news.example.com"]
    assert [len(found) for found in layouts["hosts"].values()] == [2, 2]
    closed_run(sqlite_settings, CRAWL, "3", [page(seed, NEW) for seed in range(20, 26)])
    assert processed(sqlite_settings).layouts == (), "it is the host's layout now"


USUAL: HostLayout = {
    "pages": 10, "articles": 8, "confidence": 0.95, "characters": 3_000, "block": 200.0, "container": "div.entry", "in_container": 1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("now", "sign"),
    [
        ({"articles": 2}, "2 of 10 pages have an article, before at least 80%"),
        ({"articles": 0, "container": None, "in_container": 0.0}, "0 of 10 pages have an article, before at least 80%"),
        ({"confidence": 0.6}, "the median confidence is 0.60, before at least 0.95"),
        ({"characters": 1_200}, "characters in an article: 1,200, before at least 3,000"),
        ({"characters": 9_000}, "characters in an article: 9,000, before at most 3,000"),
        ({"block": 900.0}, "characters in a block: 900, before at most 200"),
        ({"block": 30.0}, "characters in a block: 30, before at least 200"),
        ({"container": "main.text"}, "the articles are in main.text, before in div.entry"),
    ],
)
def test_the_signs_of_another_layout(now: dict[str, object], sign: str) -> None:
    change = change_of("a.example", {**USUAL, **now}, [USUAL] * MAX_RUNS)  # type: ignore[typeddict-item]  # a part of it
    assert change is not None
    assert change["signs"] == [sign]


@pytest.mark.parametrize(
    ("now", "past"),
    [
        ({}, [USUAL] * MAX_RUNS),
        ({"articles": 5, "confidence": 0.85, "characters": 1_800, "block": 500.0}, [USUAL] * MAX_RUNS),
        ({"characters": 900, "confidence": 0.5, "articles": 1}, [USUAL]),
        ({"container": "main.text"}, []),
        ({"container": "main.text", "in_container": 0.5}, [USUAL] * MAX_RUNS),
        ({"container": "main.text"}, [USUAL, {**USUAL, "container": "main.text"}]),
        ({"container": None, "in_container": 1.0}, [USUAL] * MAX_RUNS),
    ],
)
def test_what_is_no_sign_of_one(now: dict[str, object], past: list[HostLayout]) -> None:
    assert change_of("a.example", {**USUAL, **now}, past) is None  # type: ignore[typeddict-item]  # a part of it
