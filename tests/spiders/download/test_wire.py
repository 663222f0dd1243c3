"""What goes over the wire is what the archive holds, judged byte by byte and by warcio, cdxj-indexer and pywb."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from schemas.config.settings import Settings
from schemas.keys import cdxj_key
from schemas.manifest import Manifest
from storage.objects.open import open_store
from storage.objects.store import ObjectStore
from storage.warc.records import sha1
from tests.spiders.crawling import Crawled, crawl_urls
from tests.spiders.wireanswers import ANSWERS, PAGE

ARCHIVED = sorted(name for name, answer in ANSWERS.items() if not answer.refused)
REFUSED = sorted(name for name, answer in ANSWERS.items() if answer.refused)
CRAWL = "scope: {follow_links: false}\nbudgets: {max_retries: 0}\nrevisit: {hubs_max: 0, articles_min: 0, articles_max: 0}"
POLITENESS = "delay: 0, concurrency_per_host: 4, robots: ignore, opt_outs: record"


@dataclass(frozen=True)
class Kept:
    """One WARC record: its headers and its block."""

    headers: dict[str, str]
    block: bytes


@dataclass(frozen=True)
class Archive:
    """Two runs over the odd answers: records by (path, type), the last one counting; `requests` are the server's own log by path."""

    crawled: Crawled
    again: Crawled
    records: dict[tuple[str, str], Kept]
    requests: dict[str, list[bytes]]
    settings: Settings


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("wire")
    log = folder / "requests"
    command = [sys.executable, "-m", "tests.spiders.wireserver", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base = f"http://127.0.0.1:{process.stdout.readline().strip()}"
            settings = Settings(home=folder / "home", crawls=folder / "crawls")
            seeds = [f"{base}/{name}" for name in (*ANSWERS, "again", "same")]
            crawled = crawl_urls(settings, seeds, CRAWL, POLITENESS)
            again = crawl_urls(settings, seeds, CRAWL, POLITENESS)
        finally:
            process.terminate()
    requests: dict[str, list[bytes]] = {}
    for line in log.read_text().splitlines():
        request = bytes.fromhex(line)
        requests.setdefault(request.split(b" ", 2)[1].decode().strip("/"), []).append(request)
    records = dict(kept(crawled.manifest, open_store(settings), len(base) + 1))
    records |= {key: one for key, one in kept(again.manifest, open_store(settings), len(base) + 1) if key[0] in {"again", "same"}}
    return Archive(crawled, again, records, requests, settings)


def kept(manifest: Manifest, store: ObjectStore, base: int) -> Iterator[tuple[tuple[str, str], Kept]]:
    for segment in manifest.segments:
        for record in ArchiveIterator(io.BytesIO(store.get_bytes(segment.warc_key)), no_record_parse=True):
            url = record.rec_headers.get_header("WARC-Target-URI") or ""
            yield (url[base:], record.rec_type), Kept(dict(record.rec_headers.headers), record.raw_stream.read())


@pytest.mark.parametrize("name", ARCHIVED)
def test_the_response_is_kept_as_it_was_sent(archive: Archive, name: str) -> None:
    answer, record = ANSWERS[name], archive.records[name, "response"]
    assert record.block == answer.head + answer.body
    assert record.headers.get("WARC-Truncated") == answer.truncated
    assert record.headers["WARC-IP-Address"] == "127.0.0.1"
    assert record.headers["WARC-Payload-Digest"] == sha1(answer.body)
    assert record.headers["WARC-Block-Digest"] == sha1(answer.head, answer.body)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_answer_is_a_failure_with_its_reason(archive: Archive, name: str) -> None:
    (outcome,) = (outcome for url, outcome in archive.crawled.outcomes.items() if url.endswith("/" + name))
    assert outcome == f"failed:{ANSWERS[name].refused}"


@pytest.mark.parametrize("name", ["no-chunk", "bad-chunk-size", "chunk-without-end", "cut-chunk"])
def test_a_body_whose_chunks_are_broken_is_malformed_whatever_came_of_it(archive: Archive, name: str) -> None:
    (outcome,) = (outcome for url, outcome in archive.crawled.outcomes.items() if url.endswith("/" + name))
    assert outcome == "failed:malformed_response"


@pytest.mark.parametrize("name", [*ARCHIVED, "again"])
def test_the_request_is_kept_as_the_server_received_it(archive: Archive, name: str) -> None:
    assert archive.records[name, "request"].block in archive.requests[name]


@pytest.mark.parametrize("name", ARCHIVED)
def test_metadata_tells_how_it_was_found(archive: Archive, name: str) -> None:
    record = archive.records[name, "metadata"]
    assert record.headers["WARC-Concurrent-To"] == archive.records[name, "response"].headers["WARC-Record-ID"]
    fields = dict(line.split(": ", 1) for line in record.block.decode().splitlines())
    assert fields["depth"] == "0"
    assert int(fields["fetchTimeMs"]) >= 0
    assert fields["payloadLength"] == str(len(ANSWERS[name].body))


def test_an_unchanged_page_becomes_a_revisit_of_either_profile(archive: Archive) -> None:
    for name, profile, head in (
        ("again", "server-not-modified", b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nX-Second: yes\r\n\r\n'),
        ("same", "identical-payload-digest", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE)),
    ):
        first, second = archive.records[name, "response"], archive.records[name, "revisit"]
        assert second.block == head
        assert second.headers["WARC-Profile"].endswith("/" + profile)
        assert second.headers["WARC-Refers-To"] == first.headers["WARC-Record-ID"]
        assert second.headers["WARC-Refers-To-Date"] == first.headers["WARC-Date"]
        assert second.headers["WARC-Payload-Digest"] == first.headers["WARC-Payload-Digest"] == sha1(PAGE)


def local(archive: Archive, folder: Path) -> list[Path]:
    """The run's segments as files under their object names."""
    store, paths = open_store(archive.settings), []
    for segment in (*archive.crawled.manifest.segments, *archive.again.manifest.segments):
        path = folder / segment.warc_key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get_bytes(segment.warc_key))
        paths.append(path)
    return paths


def test_warcio_finds_every_digest_right(archive: Archive, tmp_path: Path) -> None:
    """warcio falls over today's brotli package; without it, it takes such a body as it is, and our digests are of that."""
    command = "import sys; sys.modules['brotli'] = None; from warcio.cli import main; main()"
    for path in local(archive, tmp_path):
        said = subprocess.run([sys.executable, "-c", command, "check", "-v", str(path)], capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr
        assert "digest failed" not in said.stdout
        assert "digest pass" in said.stdout


def test_our_cdxj_is_cdxj_indexers(archive: Archive, tmp_path: Path) -> None:
    store = open_store(archive.settings)
    local(archive, tmp_path)
    for crawled in (archive.crawled, archive.again):
        names = [segment.warc_key for segment in crawled.manifest.segments]
        said = subprocess.run(
            [str(Path(sys.executable).with_name("cdxj-indexer")), "--sort", *names],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        ours = store.get_bytes(cdxj_key("test", crawled.manifest.crawl_run)).decode()
        assert with_plain_names(said.stdout) == with_plain_names(ours)


def with_plain_names(cdxj: str) -> list[str]:
    """cdxj-indexer names a file by its last part only."""
    return sorted(
        line.replace('"filename": "' + line.split('"filename": "')[1].rpartition("/")[0] + "/", '"filename": "')
        for line in cdxj.splitlines()
    )
