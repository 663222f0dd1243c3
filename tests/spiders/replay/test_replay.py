"""A user's spider is called with stored responses: its items become rows, what it requests is dropped, and what it fails at is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from processing import stages
from processing.reprocess.again import compare, extract_all, publish
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from spiders.replay.other_records import keep_other_records
from spiders.replay.process import replay
from storage.index.items import read_items
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.processing.crawlruns import capture, closed_run
from tests.processing.lakeaccounts import check_accounts
from tests.processing.reprocess.test_again import planned
from tests.processing.test_datasets import rows, with_dataset
from tests.processing.test_items import OFFERS, offer

SITE = "https://stall.example.com"
STALL = Crawl.model_validate(
    {"name": "stall", "seeds": [SITE], "spider": "tests.processing.stallspider:StallSpider", "datasets": ["offers"]}
)


def page(path: str, items: list[dict[str, Any]], minutes: int = 0, status: int = 200) -> Any:
    return capture(SITE + path, json.dumps(items), minutes, status, mime="application/json")


@pytest.mark.timeout(600)
def test_items_are_made_again_and_kept(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_SPIDER_BASE", SITE)
    monkeypatch.setenv("OWN_SPIDER_PATHS", "/a")
    settings = with_dataset(sqlite_settings, OFFERS, "offers")
    first = [
        page("/a", [offer("A"), offer("B")]),
        page("/b", [{"raise": "no time"}], 1),
        page("/c", [], 2, status=503),
        page("/c", [offer("C")], 3),
    ]
    index = closed_run(settings, STALL, "1", first[:3], first[3:])
    closed_run(settings, STALL, "2", [page("/a", [], 60)], refers_to={SITE + "/a": index[0]})
    assert stages.process_once("stall", settings) is not None
    assert rows(settings, "SELECT * FROM offers") == [], "the crawl stored no items"
    (process_run,) = planned(settings, crawl="stall")
    counts = replay(process_run, settings)
    assert (counts.responses, counts.segments, sum(counts.callback_errors.values())) == (4, 3, 1)
    assert replay(process_run, settings).responses == 0, "everything is staged"
    extract_all(process_run, settings)
    changes = compare(process_run, settings).datasets["offers"]
    assert (changes.before, changes.after, changes.added) == (0, 3, 3)
    publish(process_run, settings)
    check_accounts(settings)
    assert rows(settings, "SELECT sku, version FROM offers ORDER BY sku") == [("A", 1), ("B", 1), ("C", 1)]
    reasons = rows(settings, "SELECT url, outcome, reason FROM captures WHERE outcome = 'rejected' ORDER BY ALL")
    assert reasons == [(f"{SITE}/b", "rejected", "dataset_error"), (f"{SITE}/c", "rejected", "http_error")]
    ledger = open_ledger(settings)
    segments = ledger.manifest("stall-20260301T120000Z-000001").segments
    ledger.close()
    kept = read_items("stall", "stall-20260301T120000Z-000001", segments, open_store(settings))
    assert [item.item["sku"] for item in kept] == ["A", "B", "C"]


def test_items_of_other_pages_of_a_segment_stay(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path))
    lines = [b'{"warc_record_offset": %d, "n": %d}\n' % (offset, n) for n, offset in enumerate((10, 10, 20, 30))]
    store.put_bytes("items/a/a-1/s.jsonl.gz", gzip.compress(b"".join(lines)))
    made = tmp_path / "made"
    made.write_bytes(gzip.compress(b'{"warc_record_offset": 20, "n": 9}\n'))
    keep_other_records("items/a/a-1/s.jsonl.gz", made, {20, 30}, store)
    assert [json.loads(line)["n"] for line in gzip.decompress(made.read_bytes()).splitlines()] == [0, 1, 9]
