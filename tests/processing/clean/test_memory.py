"""Memory does not grow with a run: what each stage has in memory is bounded, and so is the peak of Arrow's memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing import stages
from processing.resolve.resolution import read_resolve_mark
from processing.staging.staging import CHUNK_CHARACTERS, GROUP_BYTES, GROUP_ROWS, block_characters, bounded, in_chunks
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.keys import cleaned_key, extracted_key, gated_key
from storage.objects.open import open_store
from tests.processing.crawlruns import article, capture, closed_run, html, prose

SITE = "https://news.example.com"
CRAWL = Crawl.model_validate({"name": "news", "seeds": [SITE + "/"]})
PARAGRAPHS = 400  # of 40 words: some 100 kB a page
SLACK_BYTES = 8 * 1024 * 1024

# Arrow's own count of its bytes: exact, unlike resident memory
PEAKS = """
import sys
from pathlib import Path
import pyarrow as pa
from processing import stages
from processing.resolve.resolution import read_resolve_mark
from schemas.config.settings import Settings
from tests.warm import popen
popen.install()  # what the stages start has memory of its own
print(pa.default_memory_pool().backend_name)
for home in sys.argv[1:]:
    stages.process_once("news", Settings(home=Path(home), crawls=Path(home)))
    print(pa.default_memory_pool().max_memory())
"""


def long_run(settings: Settings, pages: int) -> None:
    closed_run(settings, CRAWL, "1", [capture(f"{SITE}/{i}", html(f"Story {i}", prose(i, PARAGRAPHS)), minutes=i) for i in range(pages)])


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_three_times_the_pages_take_no_more_memory(tmp_path: Path) -> None:
    homes = {tmp_path / "few": 40, tmp_path / "many": 120}
    for home, pages in homes.items():
        long_run(Settings(home=home, crawls=home), pages)
    done = subprocess.run([sys.executable, "-c", PEAKS, *map(str, homes)], capture_output=True, text=True, check=True)
    backend, few, many = done.stdout.split()
    assert backend == "system"
    assert int(many) < int(few) + SLACK_BYTES, "80 more pages have some 16 MB of text and blocks"


def test_every_staged_row_group_is_bounded(sqlite_settings: Settings) -> None:
    """A row group is what the next stage reads at once."""
    long_run(sqlite_settings, 60)
    run = stages.plan("news", sqlite_settings)
    assert run is not None
    (segment,) = stages.segments(run.process_run, sqlite_settings)
    stages.extract(run.process_run, segment, sqlite_settings)
    stages.resolve(run.process_run, sqlite_settings)
    stages.gate(run.process_run, sqlite_settings)
    store = open_store(sqlite_settings)
    (cleaned,) = [info.key for info in store.list(f"staging/{run.process_run}/cleaned/")]
    mark = read_resolve_mark(store, run.process_run)
    assert mark is not None
    base = mark.base.key()
    assert cleaned == cleaned_key(run.process_run, mark.base.memory_version, int(Path(cleaned).stem))
    for key in (extracted_key(run.process_run, segment), cleaned, gated_key(run.process_run, base, "articles")):
        with store.open(key) as stream, pq.ParquetFile(stream) as file:
            groups = [file.read_row_group(group) for group in range(file.metadata.num_row_groups)]
        assert sum(group.num_rows for group in groups) == 60, key
        assert len(groups) > 2, key
        assert max(group.nbytes for group in groups) < 1.5 * GROUP_BYTES, key


def test_tables_are_joined_and_split() -> None:
    table = pa.table({"text": ["x" * 1000] * 50})
    assert [part.num_rows for part in bounded([table] * 3, rows=100)] == [100, 50]
    parts = list(bounded([table], size=5_000))
    assert pa.concat_tables(parts).equals(table)
    assert max(part.nbytes for part in parts) <= 5_000
    assert [part.num_rows for part in bounded([table], size=10)] == [1] * 50, "one row is never cut"


def test_chunks_of_rows_end_with_their_text() -> None:
    blocks = [{"text": "x" * (CHUNK_CHARACTERS // 4)}]
    assert [len(chunk) for chunk in in_chunks(({"blocks": blocks} for _ in range(10)), block_characters)] == [4, 4, 2]
    assert [len(chunk) for chunk in in_chunks(({"blocks": None} for _ in range(GROUP_ROWS + 1)), block_characters)] == [GROUP_ROWS, 1]


def test_rows_of_the_index_without_a_record_are_counted(sqlite_settings: Settings) -> None:
    """Index and segment are read side by side: records missing at the end, in the middle and at the beginning are reported."""
    rows = closed_run(sqlite_settings, CRAWL, "1", [article(f"{SITE}/{i}", i) for i in range(5)])
    path = Path(sqlite_settings.store_url()) / rows[0].warc_filename
    data = bytearray(path.read_bytes())
    for row in (rows[0], rows[2], rows[4]):
        data[row.warc_record_offset : row.warc_record_offset + row.warc_record_length] = bytes(row.warc_record_length)
    path.write_bytes(data)
    report = stages.process_once("news", sqlite_settings)
    assert report is not None
    assert (report.published, report.reasons) == (2, {"rejected: damaged_record": 3})
