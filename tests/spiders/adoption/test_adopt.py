"""WARC files that no worker fetched become a closed run: every capture once, its URL known, whatever tool wrote the file."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Row, select

from processing.files.warc_sources import find_sources
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.keys import index_key_of
from spiders.adoption import segments as adoptedsegments
from spiders.adoption.adopt import Adopted, adopt_files, adopt_stored
from spiders.adoption.earlier_copies import CopiesOfCall
from storage.database.engine import open_database
from storage.database.frontier_tables import URLS
from storage.index.rows import CaptureRow, read_index
from storage.ledger.ledger import open_ledger
from storage.ledger.unknown_segments import count_unknown_segments
from storage.objects.open import open_store
from storage.warc.reader import read_record_at
from tests.spiders.adoption.foreign import DATE, HOST, in_one_member, story, write_others, write_redirects, write_warc
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import small_server

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # warcio leaves files open

AT = datetime.fromisoformat(DATE)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", crawls=tmp_path)


def old() -> Crawl:
    return parse_crawl(f"seeds: ['{HOST}/']\n", "old")


def adopt(settings: Settings, *paths: Path) -> Adopted:
    return adopt_files(old(), [source for path in paths for source in find_sources(path)], settings)


def rows_of(adopted: Adopted, settings: Settings) -> list[CaptureRow]:
    store = open_store(settings)
    listed = [segment for manifest in adopted.manifests for segment in manifest.segments]
    return [row for segment in listed for row in read_index(store.get_bytes(segment.index_key))]


def read_back(rows: Sequence[CaptureRow], settings: Settings) -> list[str]:
    store = open_store(settings)
    return sorted(read_record_at(store, row.pointer).capture.url for row in rows)


def test_files_of_other_tools_become_one_closed_run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoptedsegments, "MAX_SEGMENT_BYTES", 4_000)  # several segments from one file
    compressed, plain = write_warc(tmp_path / "a.warc.gz", range(4)), write_warc(tmp_path / "b.warc", range(4, 6), compressed=False)
    whole = in_one_member(write_warc(tmp_path / "c.warc", range(6, 8), compressed=False))
    adopted = adopt(settings, compressed, plain, whole, write_warc(tmp_path / "r.warc.gz", [8], revisit=True))

    (manifest,) = adopted.manifests
    rows = rows_of(adopted, settings)
    assert manifest.counts.due == manifest.counts.fetched == 9
    assert len(manifest.segments) > 4
    assert read_back(rows, settings) == sorted([*map(story, range(9)), story(8)])
    (visited,) = (row for row in rows if row.record_type == "revisit")
    original = next(
        row for row in rows if (row.warc_filename, row.warc_record_offset) == (visited.refers_to_filename, visited.refers_to_offset)
    )
    assert (original.url, original.content_digest) == (visited.url, visited.content_digest)
    known = _urls(settings)
    assert set(known) == set(map(story, range(9)))
    assert {row.last_fetch for row in known.values()} == {AT.timestamp()}
    assert all(row.due_at > row.last_fetch for row in known.values())

    assert adopt(settings, whole, compressed).manifests == []
    assert adopt(settings, compressed).known == ["a.warc.gz"]


def test_what_is_no_page_is_kept_and_never_due(settings: Settings, tmp_path: Path) -> None:
    adopted = adopt(settings, write_others(tmp_path / "others.warc.gz"))

    assert [row.kind for row in rows_of(adopted, settings)] == ["page", "robots", "page"]
    assert dict(adopted.counts.others) == {"resource text/dns": 1}
    assert [(row.due_at, row.last_outcome) for row in _urls(settings).values()] == [(None, "fetched")] * 2


def test_damaged_records_are_counted_and_the_whole_file_is_adopted_later(settings: Settings, tmp_path: Path) -> None:
    whole = write_warc(tmp_path / "whole.warc.gz", range(3))
    cut = tmp_path / "cut.warc.gz"
    cut.write_bytes(whole.read_bytes()[:-600])
    (tmp_path / "no.warc.gz").write_bytes(b"this is no WARC file")
    adopted = adopt(settings, cut, tmp_path / "no.warc.gz")
    assert (adopted.counts.captures, adopted.counts.damaged) == (2, 2)
    assert adopted.counts.first_damage.startswith("cut.warc.gz: cut off")
    assert adopted.manifests[0].counts.fetched == 2
    rest = adopt(settings, whole)
    assert (rest.manifests[0].counts.fetched, rest.counts.captures, rest.counts.again, rest.counts.damaged) == (1, 1, 2, 0)
    rows = rows_of(adopted, settings) + rows_of(rest, settings)
    assert read_back(rows, settings) == list(map(story, range(3)))
    assert adopt(settings, whole).known == ["whole.warc.gz"]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_copies_of_one_file_that_are_adopted_together_are_stored_once(settings: Settings, tmp_path: Path, order: list[int]) -> None:
    whole = write_warc(tmp_path / "whole.warc", range(3), compressed=False)
    cut = tmp_path / "cut.warc"
    cut.write_bytes(whole.read_bytes()[:-2_000])
    files = [cut, whole, in_one_member(whole)]
    adopted = adopt(settings, *(files[at] for at in order))
    assert (adopted.counts.captures, adopted.counts.again) == (3, 2 + 3)
    assert adopted.manifests[0].counts.fetched == 3
    assert read_back(rows_of(adopted, settings), settings) == list(map(story, range(3)))
    assert adopt(settings, *files).manifests == []


@pytest.mark.parametrize("together", [True, False])
def test_records_that_only_look_like_an_adopted_one_are_stored(settings: Settings, tmp_path: Path, together: bool) -> None:
    """Captures are compared by their URL, second and content. Redirects of one second look equal, or differ only in their target."""
    whole, cut = tmp_path / "whole.warc", tmp_path / "cut.warc"
    ends = write_redirects(whole, ["/a", "/b", "/b"])
    for end in ends[:2]:
        cut.write_bytes(whole.read_bytes()[:end])
        crawl = parse_crawl(f"seeds: ['{HOST}/']", f"old{end}")
        calls = [[whole, cut]] if together else [[cut], [whole]]
        adopted = [adopt_files(crawl, [one for file in files for one in find_sources(file)], settings) for files in calls]
        stored = sum(one.counts.captures for one in adopted)
        assert (stored, sum(one.counts.again for one in adopted)) == (3, ends.index(end) + 1)


def test_of_many_files_only_the_captures_of_copies_are_kept_in_memory(settings: Settings, tmp_path: Path) -> None:
    begins = {"a": ("x",), "b": ("y", "r"), "c": ("z", "r"), "d": ("x",)}
    copies = CopiesOfCall(begins)
    assert copies.in_order({"a": 1, "b": 1, "c": 2, "d": 2}) == ["d", "a", "c", "b"]
    (row,) = rows_of(adopt(settings, write_warc(tmp_path / "a.warc.gz", [0])), settings)
    for digest, earlier in zip("dacb", (0, 1, 0, 1), strict=True):
        assert len(copies.with_earlier(digest, {})) == earlier
        copies.add(digest, [row])
        copies.end(digest)
    assert not copies.with_earlier("d", {}), "forgotten"


def test_a_url_keeps_what_a_later_fetch_showed(settings: Settings, tmp_path: Path) -> None:
    adopt(settings, write_warc(tmp_path / "new.warc.gz", [1], date="2025-05-01T10:00:00Z"))
    before = _urls(settings)
    adopted = adopt(settings, write_warc(tmp_path / "old.warc.gz", [1, 2]))
    assert adopted.manifests[0].counts.fetched == 2
    after = _urls(settings)
    assert {url: after[url] for url in before} == before
    assert len(after) == len(before) + 1


def test_segments_that_the_database_does_not_know_are_its_runs_again(settings: Settings) -> None:
    with small_server(lambda path, times: (404, {}, b"") if "." in path else (200, {"Content-Type": "text/html"}, b"<p>page")) as server:
        first = crawl_urls(settings, [server.base + "/a", server.base + "/b"])
        crawl = parse_crawl(f"seeds: ['{server.base}/a', '{server.base}/b']\nnetwork: {{allow: [127.0.0.1/32]}}", "test")
        shutil.copytree(settings.home / "store", settings.home / "kept")
        for file in settings.home.glob("frontier.sqlite*"):  # the database is lost, the store is not
            file.unlink()
        ledger = open_ledger(settings)
        assert count_unknown_segments(ledger, open_store(settings)) == {"test": 1}
        (segment,) = first.manifest.segments
        open_store(settings).delete(segment.index_key)
        adopted = adopt_stored(crawl, settings)

        (manifest,) = adopted.manifests
        assert (manifest.crawl_run, manifest.segments) == (first.manifest.crawl_run, first.manifest.segments)
        assert list(read_index(open_store(settings).get_bytes(index_key_of(segment.warc_key)))) == first.rows
        assert manifest.counts.fetched == 2
        assert adopt_stored(crawl, settings).manifests == []
        assert count_unknown_segments(ledger, open_store(settings)) == {}
        ledger.close()
        again = crawl_urls(settings, [server.base + "/a", server.base + "/b"])
        assert again.manifest.counts.due == 0, "they were fetched a moment ago"


def _urls(settings: Settings) -> dict[str, Row[tuple[object, ...]]]:
    database = open_database(settings.database_url("frontier"))
    with database.read() as connection:
        found = {row.url: row for row in connection.execute(select(URLS).order_by(URLS.c.url_id))}
    database.close()
    return found
