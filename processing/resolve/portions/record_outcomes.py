"""What the lake's last readings say of a run's records for one dataset, and in the end the outcome of each record. No file is read here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby

from processing.known.known_lake import KnownLake
from processing.resolve.earlier_dataset_rows import EarlierReadings, Reading, read_readings, rows_digest
from processing.resolve.excluded import Excluded
from processing.resolve.portions.dataset_records import DatasetRecords, EarlierReading, StoredRecord
from processing.resolve.records import RecordId
from processing.resolve.run_records import RunRecord
from schemas.datasets.dataset import Dataset
from schemas.outcomes import Outcome, Reason


def note_readings(records: DatasetRecords, dataset: Dataset, known: KnownLake, excluded: Excluded) -> None:
    """Note beside the records what the lake says of their pages."""
    until = records.until() if known.hidden is not None else None
    definition = rows_digest(dataset)
    broken = frozenset((name, offset) for name, offset, _ in excluded.rows)
    for urls in records.urls():
        some = [stored.record for stored in records.on_pages(urls)]
        targets = {record.refers_to for record in some if record.refers_to is not None}
        readings = read_readings(known, dataset.name, urls, targets, until)
        last = {url: one.content_digest for url, one in readings.by_url.items() if one.has_rows and one.definition == definition}
        in_time = sorted(some, key=lambda one: (one.url, one.crawl_run, one.fetched_at, one.record_id))
        of_pages = (_known_of_page(list(page), last.get(url), broken, excluded) for url, page in groupby(in_time, key=lambda one: one.url))
        is_known = frozenset(chain.from_iterable(of_pages))
        records.note(_noted(record, record.record_id in is_known, records, readings) for record in some)


def record_outcomes(records: DatasetRecords, excluded: Excluded) -> Iterator[dict[str, object]]:
    """The rows of RECORD_OUTCOMES, in the order of the records; all rows are decided on."""
    for stored, target in records.with_targets():
        record, tally = stored.record, stored.tally
        outcome, reason, detail = _outcome(stored, target, excluded)
        yield {
            "warc_filename": record.record_id[0],
            "warc_record_offset": record.record_id[1],
            "crawl_run": record.crawl_run,
            "outcome": str(outcome),
            "reason": reason,
            "detail": detail,
            "made": tally.made,
            "published": tally.published,
            "unchanged": tally.unchanged,
            "quarantined": tally.quarantined,
        }


def _known_of_page(records: Sequence[RunRecord], last: str | None, broken: frozenset[RecordId], excluded: Excluded) -> Iterator[RecordId]:
    """The records of a page that are as it was at its last reading, which has published the rows by the same definition.

    The records are in the order of time; `last` is the digest of the lake's last reading of that kind. `broken` are those of which the gate
    took rows out.
    """
    for record in records:
        if record.is_revisit or record.crawl_run in excluded.held:
            continue
        if last == record.content_digest:
            yield record.record_id
        if record.record_id in broken:
            last = None
        elif record.unread is None:
            last = record.content_digest


def _noted(record: RunRecord, is_known: bool, records: DatasetRecords, readings: EarlierReadings) -> EarlierReading:
    if not record.is_revisit:
        return EarlierReading(record.record_id, is_known)
    target = None
    if record.refers_to is not None:
        target = records.get(record.refers_to) or readings.by_record.get(record.refers_to)
    reading = _last_reading(record, readings)
    captured_at, outcome = None if target is None else target.fetched_at, None if reading is None else reading.outcome
    return EarlierReading(record.record_id, is_known, captured_at, outcome)


def _last_reading(revisit: RunRecord, readings: EarlierReadings) -> Reading | None:
    """The last reading of the bytes that a revisit refers to: of their record, or of a later revisit for which they were read again."""
    of_record = readings.by_record.get(revisit.refers_to) if revisit.refers_to is not None else None
    of_page = readings.by_url.get(revisit.url)
    if of_record is None or of_page is None:
        return of_record or of_page
    is_same = of_page.content_digest == revisit.content_digest
    return of_page if is_same and of_page.fetched_at > of_record.fetched_at else of_record


def _outcome(stored: StoredRecord, target: StoredRecord | None, excluded: Excluded) -> tuple[Outcome, str | None, str | None]:
    """The outcome of a record for the dataset, and why its rows are not in the table: a reason, and a line of detail."""
    record, tally = stored.record, stored.tally
    if record.crawl_run in excluded.held:
        return Outcome.REJECTED, str(Reason.HELD), excluded.held[record.crawl_run]
    if tally.published:
        return Outcome.PUBLISHED, None, None
    if tally.unchanged:
        return Outcome.KNOWN, None, None
    if tally.quarantined:
        return Outcome.QUARANTINED, tally.reason, None
    if record.is_revisit and record.unread is None:
        return _revisit_outcome(stored, target, excluded)
    if stored.error is not None:
        return Outcome.REJECTED, str(Reason.DATASET_ERROR), stored.error
    return Outcome.REJECTED, record.unread or str(Reason.NO_ROWS), record.detail


def _revisit_outcome(stored: StoredRecord, target: StoredRecord | None, excluded: Excluded) -> tuple[Outcome, str | None, str | None]:
    """A revisit stands for the capture that it refers to: one of the run, `target`, or the lake's."""
    if target is not None and not target.record.is_revisit:
        outcome, reason, _ = _outcome(target, None, excluded)
    else:
        outcome, reason = Outcome(stored.earlier_outcome or Outcome.REJECTED), None
    if outcome in {Outcome.PUBLISHED, Outcome.KNOWN}:
        return Outcome.KNOWN, None, None
    return (
        Outcome.REJECTED,
        reason or str(Reason.NO_ROWS),
        "unchanged" if outcome is Outcome.REJECTED else f"unchanged since it was {outcome}",
    )
