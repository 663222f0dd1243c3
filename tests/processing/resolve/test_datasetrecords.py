"""The records of a run as one dataset sees them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from processing.resolve.excluded import NOTHING, Excluded
from processing.resolve.portions.dataset_records import DatasetRecords, EarlierReading, RowTally, open_dataset_records
from processing.resolve.portions.record_outcomes import record_outcomes
from processing.resolve.records import RecordId
from processing.resolve.run_records import PageRows, RunRecord

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAME = "warc/c/run/s.warc.gz"
OF_LAKE = ("warc/c/earlier/s.warc.gz", 7)


def record(offset: int, url: str, refers_to: RecordId | None = None, unread: str | None = None) -> RunRecord:
    at = NOON + timedelta(microseconds=offset)
    return RunRecord((NAME, offset), url, at, 200, f"d{offset}", 9, "run", unread, None, refers_to, refers_to is not None)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[DatasetRecords]:
    """Two captures of a page, and revisits: of the first of them, of a capture of the lake, and one that was read itself."""
    made = [
        record(1, "https://e.org/b"), record(2, "https://e.org/a"), record(3, "https://e.org/a", (NAME, 2)),
        record(4, "https://e.org/ü\0", OF_LAKE), record(5, "https://e.org/c", OF_LAKE), record(6, "https://e.org/d", unread="http_error"),
    ]  # fmt: skip
    pages = [PageRows((NAME, 1), 2, 0, None), PageRows((NAME, 2), 0, 0, "it broke"), PageRows((NAME, 5), 0, 0, None)]
    with open_dataset_records(tmp_path, made, pages) as found:
        yield found


def test_records_and_visits(records: DatasetRecords) -> None:
    assert [url[-1] for urls in records.urls() for url in urls] == ["a", "b", "c", "d", "\0"]
    assert records.until() == NOON + timedelta(microseconds=6)
    assert records.get((NAME, 4)) == record(4, "https://e.org/ü\0", OF_LAKE)
    assert records.get(OF_LAKE) is None
    assert [one.record.record_id[1] for one in records.on_pages(["https://e.org/ü\0", "https://e.org/a"])] == [2, 3, 4]
    assert records.visits([(NAME, 1), (NAME, 2)]) == {(NAME, 2): [record(3, "https://e.org/a", (NAME, 2))]}
    assert [list(of_some) for of_some in records.visits_of_earlier()] == [[OF_LAKE]]  # the fifth is no visit: it was read itself


def test_outcomes(records: DatasetRecords) -> None:
    """Of several broken rows the first on the page gives the reason, whatever the order in which they are decided on."""
    first, second = RowTally(), RowTally()
    first.add("quarantined", "type", 3)
    second.add("quarantined", "key", 1)
    second.add("unchanged", None, 0)
    records.count({(NAME, 1): first})
    assert _outcome(records, 1) == ("quarantined", "type", 1)
    records.count({(NAME, 1): second})
    assert _outcome(records, 1) == ("known", None, 3)
    assert next(records.on_pages(["https://e.org/b"])).tally.reason == "key"
    assert _outcome(records, 2) == ("rejected", "dataset_error", 0)
    assert _outcome(records, 3) == ("rejected", "dataset_error", 0)  # as its target
    records.note([EarlierReading((NAME, 4), is_known=False, captured_at=NOON, outcome="published")])
    assert next(records.on_pages(["https://e.org/ü\0"])).captured_at == NOON
    assert _outcome(records, 4) == ("known", None, 0)
    assert _outcome(records, 6) == ("rejected", "http_error", 0)
    records.count({(NAME, 2): RowTally(published=1)})
    assert _outcome(records, 3) == ("known", None, 0)
    assert _outcome(records, 3, Excluded(held={"run": "why"})) == ("rejected", "held", 0)
    records.note([EarlierReading((NAME, 2), is_known=True)])
    assert records.known([(NAME, 1), (NAME, 2), OF_LAKE]) == {(NAME, 2)}


def _outcome(records: DatasetRecords, offset: int, excluded: Excluded = NOTHING) -> tuple[object, object, object]:
    (found,) = (row for row in record_outcomes(records, excluded) if row["warc_record_offset"] == offset)
    return found["outcome"], found["reason"], found["made"]
