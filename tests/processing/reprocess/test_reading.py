"""A reader that queries all the time, while the lake is published to, maintained, made again, rolled back and erased from."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import duckdb
import pandas as pd
import polars as pl
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from processing import stages
from processing.accept import accept
from processing.erase.erasing import erase
from processing.known.upkeep import maintain_index
from processing.reprocess.rollback import rollback
from schemas.config.settings import Settings
from storage.lake.maintenance import maintain
from tests.processing.crawlruns import article, closed_run
from tests.processing.lakeaccounts import check_accounts
from tests.processing.reprocess.test_again import again, history
from tests.processing.reprocess.test_rollback import SECOND
from tests.processing.test_datasets import CRAWL, PRODUCTS, SHOP, product, rows, with_dataset

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1200)]

# Totals of several tables in one answer, and what must always be so: a record once, no text lost, a run for each row.
TOTALS = """SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM articles), (SELECT count(*) FROM products),
    (SELECT count(*) FROM quarantine), (SELECT count(*) FROM runs)"""
WRONG = """SELECT (SELECT count(*) - count(DISTINCT (warc_filename, warc_record_offset)) FROM captures)
    + (SELECT count(*) FROM articles WHERE length(text) = 0 OR sequence IS NULL)
    + (SELECT count(*) FROM captures WHERE process_run NOT IN (SELECT process_run FROM runs))"""

PLACES = ["warc_filename", "warc_record_offset", "url"]

Answer = tuple[int, ...]


class Reader:
    """The answers of a thread that queries, and the totals between the steps, of which each answer is one."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.answers, self.failed = settings, list[Answer](), list[BaseException]()
        self.states = [self.totals()]
        self.stop = threading.Event()

    def totals(self) -> Answer:
        return rows(self.settings, TOTALS)[0]

    def run(self) -> None:
        while not self.stop.wait(0.1):
            try:
                self.answers += rows(self.settings, f"SELECT t.*, w.* FROM ({TOTALS}) t, ({WRONG}) w")
            except BaseException as error:
                self.failed.append(error)

    @contextmanager
    def step(self, name: str, *, changes: bool = True, hides: Answer = (0, 0, 0, 0, 0)) -> Iterator[None]:
        """What others do to the lake, while the reader goes on. First of all it may hide rows: so many of each total."""
        seen = len(self.answers)
        yield
        self.states.append(self.totals())
        assert (self.states[-1] != self.states[-2]) == changes, name
        assert self.failed == [], name
        assert len(self.answers) > seen, f"nothing was read during {name}"
        hidden = tuple(total - one for total, one in zip(self.states[-2], hides, strict=True))
        assert {one[:-1] for one in self.answers[seen:]} <= {*self.states[-2:], hidden}, name
        assert {one[-1] for one in self.answers[seen:]} <= {0}, name
        if not self.settings.store:
            other_readers_agree(self.settings, name)


def other_readers_agree(settings: Settings, step: str) -> None:
    """Readers without our code see the same captures, each once: as docs/readers.md says, in a store that is a directory."""
    home = settings.home
    catalog = SqlCatalog("crawlhouse", uri=f"sqlite:///{home}/catalog.sqlite", warehouse=f"{home}/store/lake")
    for name in ("captures", "articles", "products"):
        table = catalog.load_table(f"crawlhouse.{name}")
        files = [task.file.file_path for task in table.scan().plan_files()]
        with duckdb.connect(f"{home}/store/lake/lake.duckdb", read_only=True) as lake:
            seen = {
                "pyiceberg": table.scan(selected_fields=tuple(PLACES)).to_arrow().select(PLACES).to_pylist(),
                "Polars": pl.scan_iceberg(table).select(PLACES).collect().to_dicts(),
                "pandas": pd.concat([pd.read_parquet(file, columns=PLACES, partitioning=None) for file in files]).to_dict("records"),
                "DuckDB": lake.sql(f"SELECT {', '.join(PLACES)} FROM {name}").to_arrow_table().to_pylist(),
            }
        expected = Counter(rows(settings, f"SELECT {', '.join(PLACES)} FROM {name}"))
        assert max(expected.values()) == 1, (step, name)
        for reader, found in seen.items():
            assert Counter(tuple(None if pd.isna(one[column]) else one[column] for column in PLACES) for one in found) == expected, (
                step,
                name,
                reader,
            )


@contextmanager
def reading(settings: Settings) -> Iterator[Reader]:
    reader = Reader(settings)
    thread = threading.Thread(target=reader.run)
    thread.start()
    try:
        yield reader
    finally:
        reader.stop.set()
        thread.join()


def test_a_reader_sees_whole_states_only(lake_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")
    settings = with_dataset(lake_settings)
    history(settings)
    with reading(settings) as reader:
        closed_run(settings, CRAWL, "4", [product("9", "A9", "1.00", 180), article(f"{SHOP}/a/9", 9, 181)])
        with reader.step("publish"):
            assert stages.process_once("shop", settings) is not None
        with reader.step("maintain", changes=False):
            maintain(settings)
            maintain_index(settings)
        with_dataset(settings, PRODUCTS.replace("name: h1", "name: h1, label: h1"))
        with reader.step("reprocess"):
            again(settings)
        with reader.step("rollback"):
            rollback(SECOND, "eve", "", settings)
        with reader.step("accept"):
            accept(SECOND, None, "eve", "", settings)
        with reader.step("erase", hides=(1, 1, 0, 0, 0)):  # the takedown list comes first
            erase([f"{SHOP}/a/9"], "eve", "a letter", settings, grace_seconds=2)
        with reader.step("maintain, all old snapshots", changes=False):
            maintain(settings, keep_snapshots=timedelta(0))
    check_accounts(settings)
