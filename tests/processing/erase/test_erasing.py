"""What is erased is nowhere in the home and the store; everything else stays, the accounts hold, and it goes on from there."""

from __future__ import annotations

import hashlib
import json

import pytest

from crawlhouse.reports.url_report import SIMILAR
from processing import stages
from processing.erase.erasing import erase, preview
from processing.erase.scope import REPLACEMENT, Scope
from processing.expectations.examples import values_text
from processing.known.upkeep import check_index
from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from schemas.keys import cdxj_key, manifest_key
from schemas.manifest import Manifest
from storage.lake.query import connect
from storage.lake.takedown import list_takedowns
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.processing.erase.erasehome import ENTRIES, FIRST, HUB, LEFT, NEEDLES, SECOND, THIRD, fill
from tests.processing.erase.everybyte import left, places
from tests.processing.lakeaccounts import check_accounts
from tests.processing.test_datasets import SHOP, rows

pytestmark = pytest.mark.servers_in_chaos


def test_nothing_is_left_of_an_erased_page(lake_settings: Settings) -> None:
    settings = fill(lake_settings)
    before = places(settings, NEEDLES)
    assert all(before.values()), before
    runs = [name for (name,) in rows(settings, "SELECT process_run FROM runs ORDER BY sequence")]
    others = f"SELECT * EXCLUDE (process_run, via) FROM captures WHERE url IN ('{LEFT}', '{SHOP}/p/2') ORDER BY ALL"
    kept = rows(settings, others)
    articles = rows(settings, f"SELECT * FROM articles WHERE url = '{LEFT}' ORDER BY ALL")
    seen = preview(ENTRIES, settings)
    assert (seen.records, seen.urls, seen.found_on) == (12, 2, (HUB,))
    assert (seen.rows["articles"], seen.rows["quarantine"]) == (1, 2)
    (receipt,) = erase(ENTRIES, "eve", "a letter", settings, grace_seconds=0)
    assert left(settings, NEEDLES) == set()
    assert receipt.is_complete
    check_accounts(settings)
    assert rows(settings, "SELECT crawl_run, outcome, reason FROM captures WHERE url = '' ORDER BY ALL") == (
        [(FIRST, "rejected", "erased")] * 4 + [(SECOND, "rejected", "erased")] * 4
    )
    assert rows(settings, others) == kept
    assert rows(settings, "SELECT * FROM articles ORDER BY ALL") == articles
    assert rows(settings, "SELECT DISTINCT via FROM captures WHERE via IS NOT NULL") == []
    assert check_index(settings) == []
    for run in runs:
        with pytest.raises(NotFoundError, match="not kept any more"):
            connect(settings, run).close()
    last = rows(settings, "SELECT process_run FROM runs WHERE kind = 'erase' ORDER BY sequence")[-1][0]
    with connect(settings, last) as lake:
        assert lake.sql("SELECT count(*) FROM captures").fetchall() == rows(settings, "SELECT count(*) FROM captures")
    with connect(settings) as lake:
        similar = [url for (url,) in lake.execute(SIMILAR, ["x", [], ["x"]]).fetchall()]
    assert similar
    assert all(similar), "an erased capture has no URL"
    _check_archive(settings)
    again = erase(ENTRIES, "eve", "a letter", settings, grace_seconds=0)
    assert [(one.is_complete, one.erased) for one in again] == [(True, {})]
    report = stages.process_once("shop", settings)
    assert report is not None
    assert report.reasons["rejected: erased"] == 4
    check_accounts(settings)
    assert list_takedowns(open_store(settings)) == ENTRIES


def _check_archive(settings: Settings) -> None:
    """The manifests have the digests of the segments, and so has the ledger."""
    store, ledger = open_store(settings), open_ledger(settings)
    for crawl_run in (FIRST, SECOND, THIRD):
        manifest = ledger.manifest(crawl_run)
        assert list(manifest.segments) == ledger.segments(crawl_run)
        for segment in manifest.segments:
            data = store.get_bytes(segment.warc_key)
            assert (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}") == (segment.size, segment.digest)
    assert Manifest.model_validate_json(store.get_bytes(manifest_key("shop", FIRST))) == ledger.manifest(FIRST)
    assert len(store.get_bytes(cdxj_key("shop", FIRST)).splitlines()) == 2
    ledger.close()


def test_values_of_a_row_go_with_its_url() -> None:
    scope = Scope(["https://a.example/people/*"])
    gone, kept = "https://a.example/people/1", "https://a.example/story"
    values = values_text({"name": 'Eve "(E)" \\ \u202e', "born": 1, "age": None}, ["name", "born", "age"])
    said = f"2 rows, first from {gone} ({values}), {kept} ({values}) and others; see {gone}, ({kept})"
    clean = f"2 rows, first from {REPLACEMENT}, {kept} ({values}) and others; see {REPLACEMENT}, ({kept})"
    assert scope.text(said) == clean
    assert json.loads(scope.text(json.dumps({"event": said}))) == {"event": clean}  # a line of a log
    report = {"unexpected": [{"url": gone, "values": values}, {"url": kept, "values": values}]}
    assert scope.value(report) == {"unexpected": [{"url": REPLACEMENT, "values": ""}, {"url": kept, "values": values}]}
