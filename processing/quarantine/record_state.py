"""What the lake has of the records whose rows leave quarantine: their rows of `captures`, and how many rows each dataset has of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing.publish.dataset_tables import as_articles_alone, summary_of
from processing.quarantine.candidates import Candidate
from processing.quarantine.selection import ARTICLES, in_files
from processing.resolve.records import RecordId, record_id_of
from schemas.errors import AccountingError
from schemas.outcomes import Outcome
from schemas.tables import CAPTURES
from schemas.yaml_files.dataset_names import NO_DATASET
from storage.lake.lake import Lake

RECORD_COLUMNS = ["warc_filename", "warc_record_offset"]

CaptureRow = dict[str, Any]  # Any: the values of a row of `captures`
Key = tuple[RecordId, str]  # a record and a dataset


@dataclass(slots=True)
class RowTally:
    """How many rows a record made for a dataset, and what became of them; made = published + unchanged + quarantined."""

    published: int = 0
    unchanged: int = 0
    quarantined: int = 0

    @property
    def made(self) -> int:
        """All of them."""
        return self.published + self.unchanged + self.quarantined


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a candidate: `outcome` is published, duplicate, known, quarantined or rejected.

    `row` is the row for the dataset's table, or the one that stays in quarantine.
    """

    candidate: Candidate
    outcome: Outcome
    row: dict[str, Any] = field(default_factory=dict)  # Any: as above
    reason: str | None = None
    detail: str | None = None
    article_id: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class RecordStates:
    """The rows of `captures` of some records, and the tally of each record and dataset."""

    captures: dict[RecordId, CaptureRow]
    tallies: dict[Key, RowTally]


def read_states(lake: Lake, record_ids: Collection[RecordId], datasets: Collection[str]) -> RecordStates:
    """The state of these records. Raises AccountingError where the tables have more rows of a record than were made."""
    captures = {record_id_of(row): _with_outcomes(row) for row in _rows(lake, "captures", CAPTURES.names, record_ids)}
    tables = [name for name in datasets if name != NO_DATASET]
    published = {name: Counter(map(record_id_of, _rows(lake, name, RECORD_COLUMNS, record_ids))) for name in tables}
    quarantined: Counter[Key] = Counter(
        (record_id_of(row), row["dataset"] or ARTICLES) for row in _rows(lake, "quarantine", [*RECORD_COLUMNS, "dataset"], record_ids)
    )
    tallies = {key: RowTally(quarantined=count) for key, count in quarantined.items() if key[1] == NO_DATASET and NO_DATASET in datasets}
    for record_id, row in captures.items():
        for one in row["outcomes"]:
            name = one["dataset"]
            if name in published:
                found = RowTally(published[name][record_id], 0, quarantined[record_id, name])
                found.unchanged = (one["rows"] or 0) - found.made
                _check(found, record_id, name)
                tallies[record_id, name] = found
    return RecordStates(captures, tallies)


def changed_capture(states: RecordStates, record_id: RecordId, verdicts: Sequence[Verdict]) -> CaptureRow:
    """The row of `captures` after these verdicts on the record's rows; its tallies are changed too."""
    row = states.captures[record_id]
    outcomes = list(row["outcomes"])
    for name in sorted({verdict.candidate.dataset for verdict in verdicts}):
        of_dataset = [verdict for verdict in verdicts if verdict.candidate.dataset == name]
        if name == NO_DATASET:  # its items are no outcome of their record
            states.tallies[record_id, name].quarantined -= sum(verdict.outcome is not Outcome.QUARANTINED for verdict in of_dataset)
            continue
        place = next((place for place, one in enumerate(outcomes) if one["dataset"] == name), len(outcomes))
        before = outcomes[place] if place < len(outcomes) else {}
        outcomes[place : place + 1] = [_entry(name, states.tallies.setdefault((record_id, name), RowTally()), of_dataset, before)]
    article = next((verdict for verdict in verdicts if verdict.candidate.dataset == ARTICLES), None)
    if article is not None:
        row = row | {"article_id": article.article_id, "article_version": article.version}
    return row | {"outcomes": outcomes, **summary_of(outcomes)}


def _entry(name: str, tally: RowTally, verdicts: Sequence[Verdict], before: Mapping[str, Any]) -> dict[str, Any]:
    """What a dataset made of a record; of several outcomes the first of published, known, quarantined and rejected.

    `before` is what it made until now: why rows stay in quarantine that no verdict is on.
    """
    for verdict in verdicts:
        tally.quarantined -= verdict.outcome is not Outcome.QUARANTINED
        tally.published += verdict.outcome in {Outcome.PUBLISHED, Outcome.DUPLICATE}
        tally.unchanged += verdict.outcome is Outcome.KNOWN
    outcome = _first(tally) if name != ARTICLES else verdicts[0].outcome
    entry = {"dataset": name, "outcome": str(outcome), "reason": None, "detail": None, "rows": tally.made}
    if outcome not in {Outcome.QUARANTINED, Outcome.REJECTED}:
        return entry
    because = next((verdict for verdict in verdicts if verdict.outcome is outcome), None)
    if because is None:
        return entry | {"reason": before.get("reason"), "detail": before.get("detail")}
    told = name == ARTICLES or outcome is Outcome.REJECTED  # of several quarantined rows each has a detail of its own
    return entry | {"reason": because.reason, "detail": because.detail if told else None}


def _first(tally: RowTally) -> Outcome:
    if tally.published:
        return Outcome.PUBLISHED
    if tally.unchanged:
        return Outcome.KNOWN
    return Outcome.QUARANTINED if tally.quarantined else Outcome.REJECTED


def _check(tally: RowTally, record_id: RecordId, name: str) -> None:
    if tally.unchanged < 0:
        raise AccountingError(
            f"{record_id[0]} at {record_id[1]}: the tables have {tally.published} published and {tally.quarantined} quarantined rows of "
            f"the dataset '{name}', more than were made. Nothing was changed."
        )


def _with_outcomes(row: CaptureRow) -> CaptureRow:
    return row if row["outcomes"] is not None else row | {"outcomes": [as_articles_alone(row)]}


def _rows(lake: Lake, name: str, columns: Sequence[str], record_ids: Collection[RecordId]) -> Iterator[CaptureRow]:
    files = {name for name, _ in record_ids}
    names = pa.array(sorted(files), pa.string())
    for batch in lake.scan(name, columns, in_files(files)):
        near = batch.filter(pc.is_in(batch["warc_filename"].cast(pa.string()), value_set=names))
        yield from (row for row in near.to_pylist() if record_id_of(row) in record_ids)
