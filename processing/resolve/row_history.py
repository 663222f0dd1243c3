"""Decide what becomes of the rows of one key: a new version, unchanged, or quarantined because the key is there twice.

No I/O. The rows of a key come in the order of the crawl runs and, within a run, in the order of `row_order`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from processing.datasets.identity import changed_fields, have_equal_values
from processing.datasets.rows import KEY_RULE
from processing.resolve.records import record_id_of
from processing.resolve.replaced import NO_NUMBERS, FormerNumbers
from schemas.datasets.dataset import Dataset

Values = Mapping[str, Any]  # Any: the values of a staged row, as Arrow gives them


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version of a key: its number, when it was fetched, when its key was first seen, and its values.

    `fields` are those that its definition had, None for all: a field that was not there cannot have changed.
    """

    version: int
    fetched_at: datetime
    first_seen: datetime
    values: Values
    fields: frozenset[str] | None = None

    @property
    def time_order(self) -> tuple[datetime, int]:
        """Sorts versions by the time of fetch: the numbers are in the order of publishing, and a row may be published late."""
        return self.fetched_at, self.version


@dataclass(frozen=True, slots=True)
class RowDecision:
    """What becomes of a row: `published` with its place in the history, `unchanged`, or `quarantined` for `detail`."""

    outcome: str
    version: int = 0
    first_seen: datetime | None = None
    changed: tuple[str, ...] = field(default=())
    rule: str | None = None
    detail: str | None = None


PUBLISHED, UNCHANGED, QUARANTINED = "published", "unchanged", "quarantined"
_UNCHANGED = RowDecision(UNCHANGED)


def row_order(row: Values) -> tuple[Any, ...]:
    """Sorts rows by key, then by crawl run, then by the time of fetch and the place in the archive."""
    return (
        row["row_id"],
        row["crawl_run"],
        row["fetched_at"],
        row["warc_filename"],
        row["warc_record_offset"],
        row["position"],
    )


def decide_key(
    dataset: Dataset,
    rows: Iterable[Values],
    versions: Iterable[KnownVersion],
    known: frozenset[int],
    former: FormerNumbers = NO_NUMBERS,
) -> Iterator[RowDecision]:
    """The decision on each row of one key, in their order.

    `versions` are those of the key so far, in any order. If single captures of a crawl run are made again, some may be of the same crawl
    run; then the values have `crawl_run`, `url` and all fields. `known` are places of rows whose page is as it was at the last reading.
    `former` are the numbers of rows that the run replaces.
    """
    so_far = list(versions)
    numbered = enumerate(rows)
    for crawl_run, of_one_run in groupby(numbered, key=lambda pair: pair[1]["crawl_run"]):
        (place, first), *others = of_one_run
        beside = next((one.values for one in so_far if one.values.get("crawl_run") == crawl_run), None)
        if beside is not None and not former.has(record_id_of(first), first["row_id"]):
            yield from (_decide_other(dataset, beside, row, is_known=at in known) for at, row in ((place, first), *others))
            continue
        decision = decide_version(dataset, first, so_far, is_known=place in known, former=former)
        if decision.outcome == PUBLISHED:
            assert decision.first_seen is not None
            so_far.append(KnownVersion(decision.version, first["fetched_at"], decision.first_seen, first))
        yield decision
        yield from (_decide_other(dataset, first, other, is_known=place in known) for place, other in others)


def decide_version(
    dataset: Dataset, row: Values, versions: Sequence[KnownVersion], *, is_known: bool = False, former: FormerNumbers = NO_NUMBERS
) -> RowDecision:
    """Whether a row is a new version. It is compared with the version of its own time; its number is its former or the next free one."""
    number = former.number(record_id_of(row), row["row_id"], max((one.version for one in versions), default=0))
    if not versions:
        return RowDecision(PUBLISHED, number, row["fetched_at"])
    is_visit = dataset.history == "observations"
    if is_known and not is_visit:
        return _UNCHANGED
    before = max((one for one in versions if one.fetched_at <= row["fetched_at"]), key=lambda one: one.time_order, default=None)
    changed = changed_fields(dataset, before.values, row, before.fields) if before is not None else ()
    if before is not None and not changed and not is_visit:
        return _UNCHANGED
    first_seen = min(row["fetched_at"], *(one.first_seen for one in versions))
    return RowDecision(PUBLISHED, number, first_seen, changed)


def _decide_other(dataset: Dataset, first: Values, row: Values, *, is_known: bool) -> RowDecision:
    """The decision on a further row of the same key in the same crawl run."""
    if is_known or have_equal_values(dataset, first, row):
        return _UNCHANGED
    differing = _differing(dataset, first, row)
    detail = f"another row of this run has this key and another {', '.join(differing)}: the one of {first['url']}"
    return RowDecision(QUARANTINED, rule=KEY_RULE, detail=detail)


def _differing(dataset: Dataset, one: Values, other: Values) -> Sequence[str]:
    return [name for name in dataset.fields if one.get(name) != other.get(name)]
