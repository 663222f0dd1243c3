"""The known index changes no decision: on any history of a lake it leads to the rows that a look at all of them finds."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pyarrow as pa
import pytest

from processing.clean.minhash import bands_of, text_signatures
from processing.clean.words import text_digest
from processing.known import catch_up
from processing.known.known_lake import KnownLake, open_known
from processing.known.row_sightings import KeyPages, Sighting
from processing.known.upkeep import check_index, maintain_index, purge_index, rebuild_index
from processing.resolve.article_sightings import ARTICLES
from processing.resolve.decisions import decide
from processing.resolve.earlier_dataset_rows import read_keys_on, read_readings, read_row_sightings, read_versions
from processing.resolve.earlier_rows import EarlierRows, read_earlier_rows
from processing.resolve.identities import decide_identities
from processing.resolve.records import Decision, RecordId, record_id_of
from processing.resolve.replaced import sighting_order
from schemas.config.settings import Settings
from storage.index.known import known_rows
from storage.index.known.run_file import RunMark
from storage.index.known.runs import KEEP_UNMARKED, Runs
from storage.lake.commit import commit
from storage.lake.lake import open_lake
from storage.lake.maintenance import compact
from storage.lake.removal import of_records
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from storage.objects.store import ObjectStore
from tests.processing.known.histories import OFFERS, URLS, History, ScannedLake, near_index, text_of
from tests.storage.lakerows import table_of
from tests.warm.killed import code_killed_at

pytestmark = pytest.mark.servers_in_chaos

TABLES = ("captures", "articles", "sightings", "offers")


@pytest.fixture
def history(lake_settings: Settings) -> Iterator[History]:
    ledger = open_ledger(lake_settings)
    with open_lake(lake_settings) as lake:
        lake.ensure_dataset_tables([OFFERS])
        yield History(lake, ledger, random.Random(7))
    ledger.close()


def _resolved(known: KnownLake, history: History, seed: int) -> tuple[EarlierRows, dict[RecordId, Decision]]:
    """What a run finds in the lake, and what is decided on it."""
    history.random.seed(seed)
    summaries = history.summaries()
    index = near_index(summaries)
    earlier = read_earlier_rows(known, summaries, index)
    identified = decide_identities(summaries, earlier).of(summaries)
    return earlier, decide(identified, earlier, index.pairs(), lambda version: version.text_digest)


def _rows_of(tables: Iterator[pa.Table]) -> list[dict[str, object]]:
    return sorted((row for table in tables for row in table.to_pylist()), key=repr)


def _pages(tables: Iterator[pa.Table]) -> dict[str, KeyPages]:
    keys: dict[str, KeyPages] = {}
    groups: dict[tuple[str, tuple[str, str, int]], list[Sighting]] = {}
    for row in _rows_of(tables):
        group = (str(row["row_id"]), sighting_order(str(row["crawl_run"]), int(str(row["sequence"]))))
        groups.setdefault(group, []).append(Sighting(row["url"], row["seen_at"], row["gone_at"]))  # type: ignore[arg-type]
    for group, found in sorted(groups.items()):
        keys.setdefault(group[0], KeyPages()).apply(found)
    return keys


def _of_datasets(known: KnownLake, history: History) -> list[object]:
    keys, urls = list("stuv"), URLS[:4]
    return [
        _rows_of(read_versions(known, OFFERS, keys[:3])),
        read_readings(known, "offers", urls, set(history.records[-8:])),
        _rows_of(read_keys_on(known, "offers", urls[:1])),
        _pages(read_row_sightings(known, "offers", keys[:2])),
        _pages(read_row_sightings(known, ARTICLES, {history.summaries()[0].article_id or ""})),
    ]


def _assert_equal(history: History, store: ObjectStore, snapshots: dict[str, int | None], seed: int) -> None:
    tables = history.lake.tables()
    known, scanned = (kind(store, history.lake, tables, snapshots) for kind in (KnownLake, ScannedLake))
    (earlier, decisions), (expected, by_all_rows) = (_resolved(one, history, seed) for one in (known, scanned))
    for one in fields(EarlierRows):
        assert (one.name, getattr(earlier, one.name)) == (one.name, getattr(expected, one.name))
    assert decisions == by_all_rows
    of_known, of_scanned = (_of_datasets(one, history) for one in (known, scanned) if not history.random.seed(seed))
    assert of_known == of_scanned


def test_decisions_by_the_index_are_those_by_all_rows(history: History, lake_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """After publishing, half a publication, removals, compaction and merges of the index; at an earlier time; when it is made anew."""
    monkeypatch.setattr(catch_up, "MAX_SMALL", 1)
    store = open_store(lake_settings)

    def compacted() -> None:
        for name in TABLES[:2]:
            compact(history.lake, history.ledger, name)

    for _ in range(4):
        history.publish()
    before = history.snapshots()
    steps: list[Callable[[], object]] = [
        history.remove, compacted, lambda: history.publish(visible=False), history.publish, lambda: maintain_index(lake_settings),
        history.publish,
    ]  # fmt: skip
    for number, step in enumerate(steps):
        history.random.seed(number)
        step()
        if number % 2:
            _assert_equal(history, store, history.snapshots(), number)
    _assert_equal(history, store, before, 0)
    assert purge_index(lake_settings) > 0
    live = {file for name in (*TABLES, "runs") for file in history.lake.live_files(name)}
    marks = [RunMark.from_json(store.get_bytes(one.key)) for one in store.list("known/") if one.key.endswith(".json")]
    assert {file for mark in marks for file in mark.files} == live
    rebuild_index(lake_settings)
    assert check_index(lake_settings) == []
    _assert_equal(history, store, history.snapshots(), 1)


def test_a_crowded_band_gives_the_same_rows_whatever_is_gone(
    history: History, lake_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a band with too many texts those with the smallest numbers are compared, and rows that are gone do not count."""
    monkeypatch.setattr(known_rows, "BAND_ROWS", 2)
    store = open_store(lake_settings)
    texts = [text_of(1, 1).replace("edit0", f"other{number}") for number in range(6)]
    for number, text in enumerate(texts):
        row = {"process_run": f"p{number}", "text": text, "text_digest": text_digest(text), "warc_record_offset": number}
        history.lake.append("articles", [table_of("articles", row)], f"p{number}")
        history.lake.append("runs", [table_of("runs", {"process_run": f"p{number}"})], f"p{number}")

    def numbers(found: pa.Table) -> list[int]:
        return sorted(set(found["text_number"].to_pylist()))

    asked = [text_signatures([text_of(1)])[0] or b""]
    known = open_known(history.lake, store)
    everything = known.originals(map(text_digest, texts)).to_pylist()

    def expected(rows: list[dict[str, Any]]) -> list[int]:
        of_bands = [{row["text_number"] for row in rows if band in bands_of([row["signature"]])} for band in bands_of(asked)[0]]
        assert max(map(len, of_bands)) > 2
        return sorted({number for found in of_bands for number in sorted(found)[:2]})

    assert numbers(known.similar_originals(asked)) == expected(everything)
    gone = min(everything, key=lambda row: row["text_number"])
    with history.ledger.publish_lock() as token:
        table = history.lake.table("articles")
        commit(history.lake, history.ledger, token, [history.lake.stage(table, [], "r", of_records([record_id_of(gone)]))])
    everything.remove(gone)
    assert numbers(open_known(history.lake, store).similar_originals(asked)) == expected(everything)


def test_the_check_finds_what_differs_and_upkeep_mends_it(history: History, lake_settings: Settings) -> None:
    store = open_store(lake_settings)
    history.publish()
    open_known(history.lake, store).catch_up()
    assert check_index(lake_settings) == []
    (info,) = (one for one in store.list("known/articles/") if one.key.endswith(".bin"))
    data = store.get_bytes(info.key)
    store.put_bytes(info.key, data.replace(b"word1", b"WORD1").replace(b"https://", b"HTTPS://"))
    assert {problem.partition(":")[0] for problem in check_index(lake_settings)} == {"articles"}
    assert maintain_index(lake_settings).problems
    assert check_index(lake_settings) == []


@pytest.mark.chaos
@pytest.mark.parametrize("point", ["known.before.rows", "known.before.mark", "known.after.mark"])
def test_a_killed_merge_leaves_the_index_right(lake_settings: Settings, point: str) -> None:
    ledger, store = open_ledger(lake_settings), open_store(lake_settings)
    with open_lake(lake_settings) as lake:
        lake.ensure_dataset_tables([OFFERS])
        history = History(lake, ledger, random.Random(5))
        for _ in range(3):
            history.publish()
            open_known(lake, store).catch_up()
        before = (len(list(store.list("known/"))), history.snapshots())
        process = multiprocessing.get_context("spawn").Process(target=_maintain, args=(lake_settings, point))
        process.start()
        process.join()
        assert process.exitcode == -9
        assert len(list(store.list("known/"))) >= before[0]
        _assert_equal(history, store, history.snapshots(), 1)
        maintain_index(lake_settings)
        _assert_equal(history, store, history.snapshots(), 2)
        assert check_index(lake_settings) == []
    ledger.close()


REBUILD = """
from processing.known import catch_up
from processing.known.upkeep import rebuild_index
from schemas.config.settings import load_settings
catch_up.RUN_ROWS = 4
rebuild_index(load_settings())
"""


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_killed_rebuild_leaves_the_index_right(history: History, lake_settings: Settings) -> None:
    """Each kill in what the last one left, in the first table and in later ones, of which some runs are new and some are not."""
    store = open_store(lake_settings)
    for _ in range(4):
        history.publish()
        open_known(history.lake, store).catch_up()
    history.remove()
    points = [
        "known.before.rows",
        "known.before.mark",
        "known.after.mark",
        "known.before.rows:6",
        "known.before.mark:7",
        "known.after.mark:9",
    ]
    for seed, point in enumerate(points):
        assert code_killed_at(point, lake_settings, REBUILD) == -signal.SIGKILL, point
        _assert_equal(history, store, history.snapshots(), seed)
        assert check_index(lake_settings) == [], point
    rebuild_index(lake_settings)
    assert check_index(lake_settings) == []
    _assert_equal(history, store, history.snapshots(), 7)
    indexed = [open_known(history.lake, store).indexed(name) for name in ("runs", *TABLES)]
    complete = {one.name: Runs(store, one.name, one.form) for one in indexed}
    assert {name: len(runs.complete()) for name, runs in complete.items()} == dict.fromkeys(complete, 1), "the last one replaces all"
    for runs in complete.values():
        runs.delete_old(time.time() + 2 * KEEP_UNMARKED)
    assert len(list(store.list("known/"))) == 2 * len(complete), "nothing is left of those that were killed"
    _assert_equal(history, store, history.snapshots(), 8)


def _maintain(settings: Settings, point: str) -> None:
    os.environ["CRAWLHOUSE_FAILPOINT"] = point
    maintain_index(settings)
