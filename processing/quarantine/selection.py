"""Find rows of the table `quarantine`: by crawl, dataset, rule, URL, run or id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, EqualTo, In

from schemas.tables import QUARANTINE
from storage.lake.lake import Lake
from storage.lake.removal import MAX_PRUNED
from storage.lake.takedown import Takedowns

ARTICLES = "articles"
ID_DIGITS = 16  # hexadecimal: among a million rows two ids are equal with a chance of 1 in 30 million
_FOUND = ["url", "canonical_url", "crawl", "crawl_run", "process_run", "reason", "rule", "detail", "dataset", "row_id", "fetched_at"]
_PLACE = ["warc_filename", "warc_record_offset", "dataset", "position"]
_COLUMNS = list(dict.fromkeys([*_FOUND, *_PLACE]))

Place = tuple[str, int, str | None, int | None]
"""A row of `quarantine`: WARC file, offset, dataset and position, as they are in the table."""
Row = dict[str, Any]  # Any: the values of a row of `quarantine`


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which rows: all that fulfil every condition. `url` may have * for any text; `run` is a crawl run or a process run.

    `rule` is a rule as it stands in the table, its beginning up to a colon, or the reason.
    """

    crawl: str | None = None
    dataset: str | None = None
    rule: str | None = None
    url: str | None = None
    run: str | None = None
    ids: frozenset[str] = frozenset()

    def is_everything(self) -> bool:
        """Whether no condition is given."""
        return self == QuarantineFilter()

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Whether a row fulfils all conditions but that of its id."""
        return (
            (self.crawl is None or row["crawl"] == self.crawl)
            and (self.dataset is None or (row["dataset"] or ARTICLES) == self.dataset)
            and (self.rule is None or self.rule in {row["rule"], row["reason"]} or row["rule"].startswith(f"{self.rule}:"))
            and (self.url is None or fnmatchcase(row["url"], self.url.replace("[", "[[]").replace("?", "[?]")))
            and (self.run is None or self.run in {row["crawl_run"], row["process_run"]})
        )


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row of `quarantine`, without its values. `id` stays the same as long as the row is there."""

    id: str
    place: Place
    crawl: str
    dataset: str
    rule: str
    reason: str
    detail: str | None
    url: str
    fetched_at: datetime
    crawl_run: str
    process_run: str
    row_id: str | None


def place_of(row: Mapping[str, Any]) -> Place:
    """Where a row of `quarantine` is from."""
    return row["warc_filename"], row["warc_record_offset"], row["dataset"], row["position"]


def id_of(place: Place) -> str:
    """The id of a row: hexadecimal digits of SHA-256 of where it is from."""
    name, offset, dataset, position = place
    return hashlib.sha256(json.dumps([dataset or ARTICLES, name, offset, position]).encode()).hexdigest()[:ID_DIGITS]


def find_rows(lake: Lake, wanted: QuarantineFilter, hidden: Takedowns) -> Iterator[Quarantined]:
    """The rows that match, file after file. Rows that are taken down are left out."""
    for batch in lake.scan("quarantine", _COLUMNS, _where(wanted)):
        for row in batch.to_pylist():
            if not wanted.matches(row) or (hidden and _is_hidden(row, hidden)):
                continue
            found = _quarantined(row)
            if not wanted.ids or found.id in wanted.ids:
                yield found


def judging_runs(lake: Lake, crawl: str) -> set[tuple[str, str]]:
    """The process runs that have judged the rows of a crawl, with the datasets of these rows. Only two columns are read."""
    found: set[tuple[str, str]] = set()
    for batch in lake.scan("quarantine", ["process_run", "dataset"], EqualTo("crawl", crawl)):  # type: ignore[call-arg]
        pairs = pa.Table.from_batches([batch]).group_by(["process_run", "dataset"]).aggregate([])
        found |= {(row["process_run"], row["dataset"] or ARTICLES) for row in pairs.to_pylist()}
    return found


def read_whole(lake: Lake, places: Collection[Place]) -> dict[Place, Row]:
    """The rows of `quarantine` at these places, whole; those that are there no more are left out."""
    wanted = set(places)
    files = {place[0] for place in wanted}
    names = pa.array(sorted(files), pa.string())
    found: dict[Place, Row] = {}
    for batch in lake.scan("quarantine", QUARANTINE.names, in_files(files)):
        near = batch.filter(pc.is_in(batch["warc_filename"].cast(pa.string()), value_set=names))
        keys = near.select(_PLACE).to_pylist()
        mask = pa.array([place_of(key) in wanted for key in keys], pa.bool_())
        found |= {place_of(row): row for row in near.filter(mask).to_pylist()}
    return found


def in_files(names: Collection[str]) -> BooleanExpression:
    """The condition that a row is from one of these WARC files, as far as it saves reading."""
    return In("warc_filename", set(names)) if 0 < len(names) <= MAX_PRUNED else AlwaysTrue()  # type: ignore[call-arg]


def _where(wanted: QuarantineFilter) -> BooleanExpression:
    where: BooleanExpression = AlwaysTrue()
    if wanted.crawl is not None:
        where = And(where, EqualTo("crawl", wanted.crawl))  # type: ignore[call-arg]
    if wanted.url is not None and "*" not in wanted.url:
        where = And(where, EqualTo("url", wanted.url))  # type: ignore[call-arg]
    return where


def _is_hidden(row: Mapping[str, Any], hidden: Takedowns) -> bool:
    return any(url and hidden.covers(url) for url in (row["url"], row["canonical_url"]))


def _quarantined(row: Mapping[str, Any]) -> Quarantined:
    place = place_of(row)
    return Quarantined(
        id=id_of(place),
        place=place,
        crawl=row["crawl"],
        dataset=row["dataset"] or ARTICLES,
        rule=row["rule"],
        reason=row["reason"],
        detail=row["detail"],
        url=row["url"],
        fetched_at=row["fetched_at"],
        crawl_run=row["crawl_run"],
        process_run=row["process_run"],
        row_id=row["row_id"],
    )
