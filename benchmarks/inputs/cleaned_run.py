"""The cleaned rows of one large crawl run, with made-up texts of which there are only signatures; and deciding on them.

Cleaning works through one row group after the other, so that what is decided over all records can be measured without it.
`python -m benchmarks.inputs.cleaned_run make RECORDS` and `... decide RECORDS`, in the lake that the environment names. With a further
argument `one-url` all pages claim the same URL.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.inputs.synthetic_crawl import BEGIN, CRAWL
from processing.clean.identity import BUCKETS, page_url, url_id
from processing.clean.minhash import BANDS, SKETCH_SIZE
from processing.known.known_lake import open_known
from processing.resolve.portions.deciding import CleanedRun, stage_decisions
from processing.resources import open_resources
from processing.staging.staging import CLEANED, GROUP_ROWS, staged_writer
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, load_settings
from schemas.keys import cleaned_key, segment_key
from schemas.runs import ProcessRun
from storage.objects.open import open_store

CRAWL_RUN = f"{CRAWL}-20260301T000000Z-000007"
RUN = ProcessRun("p-bench", Crawl.model_validate({"name": CRAWL, "seeds": ["https://e.org/"]}), (CRAWL_RUN,), "bench", "-", 0, None)
COPY_EVERY, NEAR_COPY_EVERY, CLAIM_EVERY, AGAIN_EVERY = 100, 25, 20, 10
EDITED = 12  # hashes of 256 that a near copy has of its own


def make_cleaned_run(settings: Settings, records: int, claims: str = "") -> None:
    """Stage the cleaned rows of so many records. Copies, near copies, claims and later captures are as often as in `staged_run`."""
    store, chance = open_store(settings), np.random.default_rng(7)
    edges = np.linspace(0, records, BUCKETS + 1).astype(int)
    for bucket in range(BUCKETS):
        with staged_writer(store, cleaned_key(RUN.process_run, 0, bucket), CLEANED) as writer:
            for start in range(edges[bucket], edges[bucket + 1], GROUP_ROWS):
                writer.write(_rows(np.arange(start, min(start + GROUP_ROWS, edges[bucket + 1])), records, chance, claims))


def decide(settings: Settings, records: int, claims: str = "") -> None:
    """Decide on the records. Raises SystemExit unless the decisions are those that the rows were made for."""
    with open_resources(settings) as resources:
        known = open_known(resources.lake, resources.store)
        counts = stage_decisions(CleanedRun(RUN, "base", 0, None, range(BUCKETS), {}, resources.store, known))
    found = sum(one["claims"] for one in counts.values())
    if found != (records - 1 if claims else len(range(3, records, CLAIM_EVERY))):
        raise SystemExit(f"{found} claims of {records} records")


def _rows(numbers: NDArray[np.int64], records: int, chance: np.random.Generator, claims: str) -> pa.Table:
    others = chance.integers(0, records, len(numbers))  # the page of which a row is a copy, near copy, twin or later capture
    others -= others % (COPY_EVERY * NEAR_COPY_EVERY)  # which is none of these itself
    kinds = [numbers % every == place for every, place in ((COPY_EVERY, 1), (NEAR_COPY_EVERY, 2), (CLAIM_EVERY, 3), (AGAIN_EVERY, 4))]
    copy, near, claim, again = kinds
    texts = np.where(copy | near | claim, others, numbers)
    if claims:
        texts, again, near, claim, others = numbers, numbers < 0, numbers < 0, numbers > 0, np.zeros_like(numbers)
    urls = [_url(int(one)) for one in np.where(again, others, numbers)]
    values: dict[str, object] = {
        "bucket": np.zeros(len(numbers), np.int16), "url": urls, "host": [url.split("/")[2] for url in urls],
        "fetched_at": [BEGIN] * len(numbers), "fetch_status": np.full(len(numbers), 200, np.int16),
        "record_type": ["response"] * len(numbers), "kind": ["page"] * len(numbers), "warc_record_offset": numbers,
        "warc_filename": [segment_key(CRAWL, CRAWL_RUN, f"7-{number // 10_000:05d}") for number in numbers.tolist()],
        "warc_record_length": np.full(len(numbers), 9_000), "content_digest": [f"sha1:{number:032d}" for number in numbers.tolist()],
        "crawl_run": [CRAWL_RUN] * len(numbers), "article_id": [url_id(page_url(url)) for url in urls],
        "text_digest": [f"{text:032x}{'n' * is_near}" for text, is_near in zip(texts.tolist(), near.tolist(), strict=True)],
        "claimed_url": [_url(int(other)) if is_claim else None for other, is_claim in zip(others, claim, strict=True)],
        "signature": list(_signatures(texts, near)),
    }  # fmt: skip
    columns = [pa.array(values[one.name], one.type) if one.name in values else pa.nulls(len(numbers), one.type) for one in CLEANED]
    return pa.table(columns, schema=CLEANED)


def _url(number: int) -> str:
    return f"https://site{number % 500}.example.org/2026/03/{number:08d}-a-story-with-some-words-in-its-address"


def _signatures(texts: NDArray[np.int64], near: NDArray[np.bool_]) -> Iterator[bytes]:
    bands, sketches = _hashes(texts, BANDS, 1), (_hashes(texts, SKETCH_SIZE, 2) >> np.uint64(33)).astype(np.uint32)
    bands[near, : BANDS // 2] += np.uint64(1)
    sketches[near, :EDITED] += np.uint32(1)
    sketches.sort(axis=1)
    for of_bands, sketch in zip(bands, sketches, strict=True):
        yield of_bands.tobytes() + sketch.tobytes()


def _hashes(texts: NDArray[np.int64], count: int, kind: int) -> NDArray[np.uint64]:
    """So many 64-bit hashes of each text."""
    hashes = texts.astype(np.uint64)[:, None] * np.uint64(2 * count) + np.arange(count, dtype=np.uint64) * np.uint64(2) + np.uint64(kind)
    for _ in range(2):
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(31)
    return hashes


if __name__ == "__main__":
    {"make": make_cleaned_run, "decide": decide}[sys.argv[1]](load_settings(), int(sys.argv[2]), *sys.argv[3:])
