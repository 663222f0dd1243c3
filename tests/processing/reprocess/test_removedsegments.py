"""Segments that a crawl keeps no longer: their rows stay, and everything that would need their bytes says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from processing import stages
from processing.accept import accept
from processing.reprocess.rollback import rollback
from processing.resources import open_resources
from schemas.config.settings import Settings
from schemas.errors import ConflictError, StorageError
from schemas.page import WarcPointer
from storage.lake.maintenance import maintain
from storage.lake.query import connect
from storage.lake.reader.lake_file import write_lake_file
from storage.ledger.ledger import open_ledger
from storage.ledger.segment_retention import expired_segments, remove_segments
from storage.objects.open import open_store
from storage.warc.reader import read_record_at
from storage.warc.removed_segments import RemovedSegments, RunRange, read_removed
from tests.processing.crawlruns import NOON, article, closed_run
from tests.processing.lakeaccounts import check_accounts
from tests.processing.reprocess.test_again import planned, state
from tests.processing.test_datasets import CRAWL, SHOP, rows, with_dataset

LATER = NOON + timedelta(days=90)


@pytest.mark.chaos
def test_rows_of_removed_segments_stay(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = with_dataset(sqlite_settings)
    first = closed_run(settings, CRAWL, "1", [article(f"{SHOP}/a/1", 1)])
    stages.process_once("shop", settings)
    closed_run(settings, CRAWL, "2", [article(f"{SHOP}/a/2", 2)], refers_to={f"{SHOP}/a/1": first[0]})
    store, ledger = open_store(settings), open_ledger(settings)
    assert expired_segments(ledger, store, "shop", NOON) == [], "closed an hour later"
    (segment,) = expired_segments(ledger, store, "shop", LATER)
    before = state(settings)
    assert {row[0] for row in rows(settings, "SELECT bytes_available FROM captures")} == {True}

    with monkeypatch.context() as patched:  # killed between the mark and the first deletion
        patched.setattr(type(store), "delete", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remove_segments(ledger, store, "shop", LATER)
    assert store.info(segment.warc_key) is not None
    assert remove_segments(ledger, store, "shop", LATER) == 1, "the run that is not processed stays"
    assert remove_segments(ledger, store, "shop", LATER) == 0
    assert (store.info(segment.warc_key), store.info(segment.index_key) is not None) == (None, True)
    assert ledger.archived_bytes(read_removed(store)) == ledger.archived_bytes() - segment.size
    ledger.close()

    assert rows(settings, "SELECT DISTINCT bytes_available FROM captures") == [(False,)]
    after = state(settings)
    assert [[*row] for row in after["articles"]] == [[*row] for row in before["articles"]], "no row is lost"
    row = first[0]
    with pytest.raises(StorageError, match=r"was removed: its crawl keeps segments for a time only"):
        read_record_at(store, WarcPointer(row.warc_filename, row.warc_record_offset, row.warc_record_length, row.content_digest))
    write_lake_file(settings)
    assert planned(settings) == [], "what cannot be read stays as it is"
    stages.process_once("shop", settings)
    check_accounts(settings)
    assert rows(settings, "SELECT bytes_available, count(*) FROM captures GROUP BY ALL ORDER BY ALL") == [(False, 1), (True, 1)]


@pytest.mark.chaos
def test_rows_that_could_not_be_made_again_are_taken_out_only_for_good(sqlite_settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings = with_dataset(sqlite_settings)
    for number in (1, 2):
        closed_run(settings, CRAWL, str(number), [article(f"{SHOP}/a/{number}", number, number)])
        stages.process_once("shop", settings)
    store, ledger = open_store(settings), open_ledger(settings)
    assert remove_segments(ledger, store, "shop", LATER) == 2
    ledger.close()
    first, second = (f"shop-20260301T120000Z-00000{number}" for number in (1, 2))
    with pytest.raises(ConflictError, match=rf"segments of {first} are removed .* --for-good"):
        rollback(first, "eve", "", settings)
    assert rows(settings, "SELECT crawl_run FROM articles ORDER BY 1") == [(first,), (second,)]
    rollback(first, "eve", "", settings, for_good=True)
    assert f"without 1 crawl run whose segments are removed, up to {second}" in caplog.text
    check_accounts(settings)
    assert rows(settings, "SELECT crawl_run FROM articles") == [(second,)]
    with pytest.raises(ConflictError, match=r"cannot be made again.* gate discard"):
        accept(first, None, "eve", "", settings)
    assert planned(settings) == []
    closed_run(settings, CRAWL, "3", [article(f"{SHOP}/a/1", 1, 120)])
    assert stages.process_once("shop", settings) is not None
    check_accounts(settings)


def test_maintenance_removes_the_segments_of_a_crawl_that_says_so(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    settings.crawls.mkdir()
    (settings.crawls / "shop.yaml").write_text(f"seeds: [{SHOP}/]\nretention: {{warc: 30}}\n")
    closed_run(settings, CRAWL, "1", [article(f"{SHOP}/a/1", 1)])
    assert maintain(settings, now=LATER).segments_deleted == 0, "its rows are not published"
    stages.process_once("shop", settings)
    assert maintain(settings, now=NOON + timedelta(days=30)).segments_deleted == 0
    assert maintain(settings, now=LATER).segments_deleted == 1
    with open_resources(settings) as resources, connect(settings) as lake:
        assert resources.lake.published_runs()
        assert lake.sql("SELECT count(*), bool_or(bytes_available) FROM captures").fetchall() == [(1, False)]


def test_ranges_do_not_reach_into_other_crawls() -> None:
    removed = RemovedSegments((RunRange("news-20260101T000000Z-a", "news-20260301T000000Z-b"),))
    names = ("news-20251231T000000Z-z", "news-20260201T000000Z-c", "news-20260301T000000Z-c", "news_2-20260201T000000Z-c")
    covered = [name for name in names if removed.covers(name)]
    assert covered == ["news-20260201T000000Z-c"]
    longer = removed.with_range(RunRange("news-20260101T000000Z-a", "news-20260401T000000Z-b"))
    assert (len(longer.ranges), longer.covers("news-20260301T000000Z-c")) == (1, True)
