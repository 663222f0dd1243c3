"""The known index changes no decision: on any history of a lake it leads to the rows that a look at all of them finds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import fields

import pyarrow as pa
import pytest

from processing.known import catch_up
from processing.known.known_lake import KnownLake
from processing.known.upkeep import check_index, maintain_index, rebuild_index
from processing.resolve.article_sightings import ARTICLES
from processing.resolve.decisions import decide
from processing.resolve.earlier_dataset_rows import read_readings, read_row_sightings, read_sightings, read_versions
from processing.resolve.earlier_rows import EarlierRows, read_earlier_rows
from processing.resolve.identities import decide_identities
from processing.resolve.records import Decision, RecordId
from processing.resolve.row_sightings import KeyPages, Sighting
from schemas.config.settings import Settings
from storage.lake.lake import open_lake
from storage.lake.maintenance import compact
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from storage.objects.store import ObjectStore
from tests.processing.known.histories import OFFERS, URLS, History, ScannedLake, near_index

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
    groups: dict[tuple[str, int, str], list[Sighting]] = {}
    for row in _rows_of(tables):
        group = (str(row["row_id"]), int(str(row["sequence"])), str(row["crawl_run"]))
        groups.setdefault(group, []).append(Sighting(row["url"], row["seen_at"], row["gone_at"]))  # type: ignore[arg-type]
    for group, found in sorted(groups.items()):
        keys.setdefault(group[0], KeyPages()).apply(found)
    return keys


def _of_datasets(known: KnownLake, history: History) -> list[object]:
    keys, urls = list("stuv"), URLS[:4]
    return [
        _rows_of(read_versions(known, OFFERS, pa.array(keys[:3]))),
        read_readings(known, "offers", urls, set(history.records[-8:])),
        _pages(read_sightings(known, "offers", urls[:1], pa.chunked_array([keys[:1]], pa.string()))),
        _pages(read_row_sightings(known, ARTICLES, {history.summaries()[0].article_id or ""})),
    ]


def _assert_equal(history: History, store: ObjectStore, snapshots: dict[str, int | None], seed: int) -> None:
    tables = history.lake.tables()
    known, scanned = (kind(store, tables, snapshots) for kind in (KnownLake, ScannedLake))
    (earlier, decisions), (expected, by_all_rows) = (_resolved(one, history, seed) for one in (known, scanned))
    for one in fields(EarlierRows):
        assert (one.name, getattr(earlier, one.name)) == (one.name, getattr(expected, one.name))
    assert decisions == by_all_rows
    of_known, of_scanned = (_of_datasets(one, history) for one in (known, scanned) if not history.random.seed(seed))
    assert of_known == of_scanned


def test_decisions_by_the_index_are_those_by_all_rows(history: History, lake_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """After publishing, half a publication, removals, compaction, merges of the index, its loss; also at an earlier time."""
    monkeypatch.setattr(catch_up, "MAX_SMALL", 2)
    store = open_store(lake_settings)
    chance = random.Random(3)

    def compacted() -> None:
        for name in TABLES:
            compact(history.lake, history.ledger, name)

    for _ in range(3):
        history.publish()
    steps: list[Callable[[], object]] = [
        history.publish, history.remove, compacted, history.publish, lambda: history.publish(visible=False), history.publish,
        lambda: maintain_index(lake_settings), history.remove, lambda: rebuild_index(lake_settings), history.publish,
    ]  # fmt: skip
    before = history.snapshots()
    for number, step in enumerate(steps):
        history.random.seed(number)
        step()
        now = history.snapshots()
        _assert_equal(history, store, now, number)
        if number % 3 == 0:
            _assert_equal(history, store, before, number)
            before = now if chance.random() < 0.5 else before
    assert check_index(lake_settings) == []
