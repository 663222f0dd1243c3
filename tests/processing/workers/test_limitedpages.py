"""All code that reads stored pages does it in workers with limits; pages that are read again are staged."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from processing import stages
from processing.extract.limited_pages import ShownPage, StoredPage, html_limited, provenance_limited, read_limited
from processing.extract.page_tasks import ReadPage
from processing.resolve.earlier_rows import Version
from processing.resolve.reread import reread
from processing.workers.child import BoundedOutput
from processing.workers.pool import Limits
from runtime.user_modules import error_text
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.keys import reread_prefix
from schemas.outcomes import Reason, Rejected
from schemas.page import WarcPointer
from schemas.runs import ProcessRun
from storage.lake.query import connect
from storage.objects.open import open_store
from storage.warc.reader import Record
from tests.processing.crawlruns import article, capture, closed_run

pytestmark = pytest.mark.servers_in_chaos

SITE = "https://news.example.com"
CRAWL = Crawl.model_validate({"name": "news", "seeds": [SITE + "/"]})
SHORT = Limits(seconds=2.0)
HOSTILE = capture(SITE + "/hostile", "<html><body>" + "<div>" * 400_000)  # the parser's work is the square of the depth


def stored(found: Capture) -> Record:
    return Record(found, "response", WarcPointer("x", 7))


def test_a_hostile_page_affects_no_other() -> None:
    pages = [StoredPage(stored(found), CRAWL) for found in (article(SITE + "/1", 1), HOSTILE, article(SITE + "/2", 2))]
    found = [result for _, result in read_limited([*pages, StoredPage(None, CRAWL)], 1, SHORT)]
    assert [isinstance(result, ReadPage) for result in found] == [True, False, True, False]
    assert isinstance(found[1], Rejected)
    assert (found[1].url, found[1].reason, found[1].warc_record_offset, found[3]) == (SITE + "/hostile", Reason.PAGE_TIMEOUT, 7, None)


def test_for_a_hostile_page_a_sentence_is_shown() -> None:
    assert provenance_limited(ShownPage(stored(HOSTILE), row={"title": "x"}), SHORT) == "reading it exceeds the limits: more than 2 seconds"
    good = article(SITE + "/1", 1)
    assert provenance_limited(ShownPage(stored(good), row={"title": "Story 1"})) == {"title": "<h1>; also: <title>"}
    assert html_limited(ShownPage(stored(good))) == {"html": good.body.decode()}
    assert html_limited(ShownPage(stored(capture(SITE, "\x00\x01\x02" * 500)))) == "the body is not text (not_html)"


@pytest.mark.parametrize("limits", [None, SHORT])
def test_a_version_is_read_once(lake_settings: Settings, limits: Limits | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time its staged blocks are used, even when its capture is gone. A page that exceeds the limits has none both times."""
    (row,) = closed_run(lake_settings, CRAWL, "1", [HOSTILE if limits else article(SITE + "/one", 1)])
    run, store = ProcessRun("p-1", CRAWL, ("news-1",), "code", "hash", 0, None), open_store(lake_settings)
    version = Version(1, 1, row.url, "news.example.com", "digest", "news", "older code", None, row.pointer, row.fetch_time, 1)
    if limits is not None:
        monkeypatch.setattr("processing.extract.limited_pages.Limits", lambda: limits)
    ((_, first),) = list(reread([version], run, store, {}))
    assert (first is None) == (limits is not None)
    store.delete(row.warc_filename)
    assert [blocks for _, blocks in reread([version], run, store, {})] == [first]
    assert len(list(store.list(reread_prefix("p-1")))) == 1


@pytest.mark.chaos
def test_no_page_is_read_under_the_publish_lock(lake_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was resolved against an older lake is resolved again under the lock, with pages that were read before it."""
    closed_run(lake_settings, CRAWL, "1", [article(SITE + "/one", 1)])
    assert stages.process_once("news", lake_settings) is not None
    closed_run(lake_settings, CRAWL, "2", [article(SITE + "/one", 2, minutes=90)])
    run = stages.plan("news", lake_settings)
    assert run is not None
    for segment in stages.segments(run.process_run, lake_settings):
        stages.extract(run.process_run, segment, lake_settings)
    stages.resolve(run.process_run, lake_settings)
    stages.gate(run.process_run, lake_settings)
    other = CRAWL.model_copy(update={"name": "other"})
    closed_run(lake_settings, other, "3", [article("https://other.example/x", 3)])
    assert stages.process_once("other", lake_settings) is not None  # the lake is another one now
    reread_before = list(open_store(lake_settings).list(reread_prefix(run.process_run)))
    assert reread_before

    def refuse(*_: object) -> None:
        raise AssertionError("a page was read again")

    monkeypatch.setattr("processing.resolve.reread.read_limited", refuse)
    report = stages.publish(run.process_run, lake_settings)
    assert (report.published, report.records) == (1, 1)
    with connect(lake_settings) as connection:
        assert connection.sql("SELECT version FROM articles WHERE crawl = 'news' ORDER BY version").fetchall() == [(1,), (2,)]


def test_what_a_worker_prints_is_bounded() -> None:
    stream = io.StringIO()
    output = BoundedOutput(stream, 10)
    for _ in range(1_000):
        print("twelve chars", file=output)
    assert stream.getvalue() == "twelve cha\n(What this process prints further is left out.)\n"


def test_a_long_error_is_cut_and_keeps_its_place() -> None:
    try:
        raise ValueError("x" * 5_000)
    except ValueError as error:
        text = error_text(error)
    assert len(text) < 500
    assert text.endswith(f"x... (5,012 characters) ({Path(__file__).name}, line {sys._getframe().f_lineno - 4})")
