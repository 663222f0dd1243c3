"""Workers read records from their stored bytes: what comes of them is what reading the whole segment gives."""

from dataclasses import replace

import pytest

from processing.extract.page_tasks import ARTICLES_ALONE, MAX_STORED_BYTES, Making, PageResult, segment_tasks, stored_tasks
from processing.extract.reading import read_task
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.keys import index_key_of, segment_of
from schemas.manifest import Segment
from schemas.outcomes import Reason
from storage.index.rows import CaptureRow, write_index
from storage.objects.open import open_store
from storage.objects.store import ObjectStore
from tests.processing.crawlruns import article, capture, closed_run

CRAWL = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"], "budgets": {"max_body_bytes": 100_000}})
SITE = "https://a.example"


def making(store: ObjectStore, rows: list[CaptureRow]) -> Making:
    """Of the segment that has these rows."""
    name = rows[0].warc_filename
    segment = Segment(segment=segment_of(name), warc_key=name, index_key=index_key_of(name), size=1, digest="", records=len(rows))
    return Making(store, segment, CRAWL, {}, ARTICLES_ALONE)


def results(store: ObjectStore, rows: list[CaptureRow], *, stored: bool) -> list[tuple[CaptureRow, PageResult]]:
    """Each row with what its record becomes."""
    of_segment = making(store, rows)
    with store.open(rows[0].warc_filename) as stream:
        return [(task.row, read_task(task)) for task in (stored_tasks if stored else segment_tasks)(stream, of_segment)]


def test_records_read_alone_give_what_the_segment_gives(sqlite_settings: Settings) -> None:
    earlier = closed_run(sqlite_settings, CRAWL, "1", [article(f"{SITE}/1", 1)])
    captures = [
        article(f"{SITE}/1", 1), article(f"{SITE}/2", 2), capture(f"{SITE}/404", "gone", status=404),
        capture(f"{SITE}/long", "x" * 200_000), article(f"{SITE}/damaged", 3), article(f"{SITE}/4", 4),
    ]  # fmt: skip
    rows = closed_run(sqlite_settings, CRAWL, "2", captures, refers_to={row.url: row for row in earlier})
    store = open_store(sqlite_settings)
    data = bytearray(store.get_bytes(rows[0].warc_filename))
    data[rows[4].warc_record_offset + 40 : rows[4].warc_record_offset + 60] = bytes(20)
    store.put_bytes(rows[0].warc_filename, bytes(data[:-100]))  # cut in the last record
    assert making(store, rows).has_single_records()
    whole, alone = (results(store, rows, stored=stored) for stored in (False, True))
    assert alone == whole
    found = [result.rejected.reason if result.rejected else result.article is not None for _, result in alone]
    assert found == [False, True, Reason.HTTP_ERROR, Reason.TRUNCATED, Reason.DAMAGED_RECORD, Reason.DAMAGED_RECORD]


@pytest.mark.parametrize("change", [{"warc_record_length": 0}, {"warc_record_length": MAX_STORED_BYTES + 1}, {"warc_record_offset": 1}])
def test_records_that_cannot_be_sent_alone_are_read_from_the_segment(sqlite_settings: Settings, change: dict[str, int]) -> None:
    rows = closed_run(sqlite_settings, CRAWL, "1", [article(f"{SITE}/{number}", number) for number in range(2)])
    store = open_store(sqlite_settings)
    assert making(store, rows).has_single_records()
    store.put_bytes(index_key_of(rows[0].warc_filename), write_index([rows[0], replace(rows[1], **change)]))  # type: ignore[arg-type]
    assert not making(store, rows).has_single_records()
