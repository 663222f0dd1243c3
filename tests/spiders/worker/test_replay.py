"""Replay in pywb, an outside judge: what it serves from our WARC files and our CDXJ is what the server once sent.

pywb's pins do not go together with ours, so it lives in an environment of its own; this runs where its `wayback` is on the PATH.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.keys import cdxj_key
from storage.index.rows import CaptureRow
from storage.objects.open import open_store
from tests.spiders.download.test_wire import Archive, archive, local
from tests.spiders.wireanswers import ANSWERS, PAGE

WAYBACK = shutil.which("wayback")
START_SECONDS = 60
REPLAYED = ["repeated", "gzip", "chunked", "chunked-gzip", "http-1.0", "404", "latin-1", "short-body", "redirect"]

pytestmark = pytest.mark.skipif(WAYBACK is None, reason="NOT JUDGED BY PYWB: no `wayback` on the PATH (install pywb in a venv of its own)")

__all__ = ["archive"]


@pytest.fixture(scope="module")
def replay(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a pywb that serves both runs."""
    folder, store = tmp_path_factory.mktemp("replay"), open_store(archive.settings)
    local(archive, folder)
    (folder / "indexes").mkdir()
    for crawled in (archive.crawled, archive.again):
        run = crawled.manifest.crawl_run
        (folder / "indexes" / f"{run}.cdxj").write_bytes(store.get_bytes(cdxj_key("test", run)))
    (folder / "config.yaml").write_text(f"collections:\n  test:\n    index_paths: {folder}/indexes/\n    archive_paths: {folder}/\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [str(WAYBACK), "-b", "127.0.0.1", "-p", str(port), "-d", str(folder)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait(port, process, folder / "log")
            yield port
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


def fetched(port: int, row: CaptureRow) -> tuple[int, dict[str, str], bytes]:
    """A capture as pywb serves it, its bytes not rewritten."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", f"/test/{row.fetch_time:%Y%m%d%H%M%S}id_/{row.url}", headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def row_of(rows: list[CaptureRow], name: str) -> CaptureRow:
    (row,) = (row for row in rows if row.url.endswith("/" + name))
    return row


@pytest.mark.parametrize("name", REPLAYED)
def test_pywb_replays_what_was_sent(archive: Archive, replay: int, name: str) -> None:
    row = row_of(archive.crawled.rows, name)
    status, headers, body = fetched(replay, row)
    assert status == row.fetch_status
    assert body == ANSWERS[name].body
    assert headers.get("content-encoding") == ("gzip" if "gzip" in name else None)
    if name == "redirect":
        assert headers["location"].endswith("/empty")


def test_pywb_takes_the_payload_of_a_revisit_from_the_page_it_refers_to(archive: Archive, replay: int) -> None:
    row = row_of(archive.again.rows, "same")
    assert row.record_type == "revisit"
    assert fetched(replay, row)[::2] == (200, PAGE)


def test_pywb_replays_a_304_as_it_was_and_the_page_before_it(archive: Archive, replay: int) -> None:
    row = row_of(archive.again.rows, "again")
    assert row.record_type == "revisit"
    status, headers, _ = fetched(replay, row)
    assert (status, headers["x-archive-orig-etag"], headers["x-second"]) == (304, '"v1"', "yes")
    assert fetched(replay, row_of(archive.crawled.rows, "again"))[::2] == (200, PAGE)
