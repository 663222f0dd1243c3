"""What is taken down or was erased does not come back by an adoption."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from processing.erase.erasing import erase
from processing.files.warc_sources import find_sources
from processing.stages import process_once
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import ConflictError, NotFoundError
from spiders.adoption.adopt import adopt_files, adopt_stored
from storage.index.rows import read_index
from storage.lake.query import connect
from storage.lake.takedown import add_takedowns
from storage.objects.open import open_store
from tests.processing.erase.everybyte import left
from tests.processing.lakeaccounts import check_accounts
from tests.spiders.adoption.foreign import HOST, story, write_warc

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # warcio leaves files open

GONE = story(1)
NEEDLES = ["story-number-1-of-many", "the harbour 1 had"]


def crawl() -> Crawl:
    return parse_crawl(f"seeds: ['{HOST}/']\n", "old")


def test_files_are_adopted_without_what_is_taken_down(sqlite_settings: Settings, tmp_path: Path) -> None:
    store = open_store(sqlite_settings)
    add_takedowns(sqlite_settings, store, [GONE])
    file = write_warc(tmp_path / "a.warc.gz", range(3), revisit=True)
    adopted = adopt_files(crawl(), list(find_sources(file)), sqlite_settings)
    (manifest,) = adopted.manifests
    assert (adopted.counts.captures, adopted.counts.taken_down, manifest.counts.fetched) == (6, 2, 2)
    rows = [row for segment in manifest.segments for row in read_index(store.get_bytes(segment.index_key))]
    assert [row.url for row in rows] == [story(0), story(0), "", "", story(2), story(2)]
    assert process_once("old", sqlite_settings) is not None
    check_accounts(sqlite_settings)
    with connect(sqlite_settings) as lake:
        counts = lake.sql("SELECT outcome, reason, count(*) FROM captures WHERE url = '' GROUP BY ALL").fetchall()
    assert counts == [("rejected", "erased", 2)]
    assert left(sqlite_settings, NEEDLES) == set()


@pytest.mark.chaos
def test_stored_segments_with_an_erased_page_must_be_erased_again_first(sqlite_settings: Settings, tmp_path: Path) -> None:
    """An older copy of the store, and an older database, were restored; the takedown list and the receipts were not lost."""
    kept = tmp_path / "kept"
    adopt_files(crawl(), list(find_sources(write_warc(tmp_path / "a.warc.gz", range(3)))), sqlite_settings)
    assert process_once("old", sqlite_settings) is not None
    for name in ("warc", "index"):
        shutil.copytree(sqlite_settings.home / "store" / name, kept / name)
    assert erase([GONE], "eve", "a letter", sqlite_settings, grace_seconds=0)[0].is_complete
    shutil.copytree(kept, sqlite_settings.home / "store", dirs_exist_ok=True)
    for file in sqlite_settings.home.glob("frontier.sqlite*"):
        file.unlink()
    with pytest.raises(ConflictError, match=r"1 record in 1 segment of pages that were erased"):
        adopt_stored(crawl(), sqlite_settings)
    with pytest.raises(NotFoundError, match="which the database does not know"):  # the archive is done; the rows of unknown runs come next
        erase([GONE], "eve", "a letter", sqlite_settings, grace_seconds=0)
    (manifest,) = adopt_stored(crawl(), sqlite_settings).manifests
    assert manifest.counts.fetched == 2
    assert erase([GONE], "eve", "a letter", sqlite_settings, grace_seconds=0)[-1].is_complete
    assert left(sqlite_settings, NEEDLES) == set()


def test_what_is_only_hidden_is_adopted_where_it_is(sqlite_settings: Settings, tmp_path: Path) -> None:
    adopt_files(crawl(), list(find_sources(write_warc(tmp_path / "a.warc.gz", range(2)))), sqlite_settings)
    for file in sqlite_settings.home.glob("frontier.sqlite*"):
        file.unlink()
    add_takedowns(sqlite_settings, open_store(sqlite_settings), [GONE])
    assert adopt_stored(crawl(), sqlite_settings).manifests[0].counts.fetched == 2
    assert process_once("old", sqlite_settings) is not None
    with connect(sqlite_settings) as lake:
        assert lake.sql("SELECT url FROM articles").fetchall() == [(story(0),)]
