"""Bytes that a server sends without being asked are never the answer to another URL."""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from storage.objects.open import open_store
from storage.warc.reader import Record, read_records
from tests.spiders.certificates import self_signed
from tests.spiders.crawling import crawl_urls

LATER_SECONDS = 0.03
DELAY_SECONDS = 0.15  # the connection rests in between


def answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body


FOREIGN = answer(b"<p>FOREIGN")
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<p>a\r\n0\r\n\r\n"
SOUND = answer(b"<p>sound")
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
UNCHANGED = b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
SHAPES = {  # what comes at once, and what a moment later
    "a-whole-answer-later": (SOUND, FOREIGN),
    "two-later": (SOUND, FOREIGN * 2),
    "a-timeout-later": (SOUND, answer(b"FOREIGN", b"408 Request Timeout")),
    "at-once": (SOUND + FOREIGN, b""),
    "at-once-and-more-later": (SOUND + FOREIGN, FOREIGN),
    "its-beginning-at-once": (SOUND + FOREIGN[:24], b""),
    "its-head-at-once": (SOUND + FOREIGN[: FOREIGN.index(b"<p>")], FOREIGN[FOREIGN.index(b"<p>") :]),
    "its-beginning-at-once-the-rest-later": (SOUND + FOREIGN[:24], FOREIGN[24:]),
    "after-no-content": (EMPTY, FOREIGN),
    "after-no-content-at-once": (EMPTY + FOREIGN, b""),
    "after-no-content-half-at-once": (EMPTY + FOREIGN[:24], FOREIGN[24:]),
    "after-not-modified": (UNCHANGED, FOREIGN),
    "after-chunks": (CHUNKED, FOREIGN),
    "after-chunks-its-beginning-at-once": (CHUNKED + FOREIGN[:24], FOREIGN[24:]),
    "no-http-later": (SOUND, b"FOREIGN\r\n\r\n"),
    "a-head-later-its-body-never": (SOUND, FOREIGN[:-9]),
}
NUMBER = 3  # of either kind, in no order


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """`/shape/NAME/NUMBER` is answered in that shape, any other path soundly."""
    try:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            shape = path.split("/")[2] if path.startswith("/shape/") else ""
            at_once, later = SHAPES.get(shape, (answer(f"<p>sound {path}".encode()), b""))
            writer.write(at_once)
            await writer.drain()
            if later:
                await asyncio.sleep(LATER_SECONDS)
                writer.write(later)
                await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


@contextmanager
def servers(hosts: list[str], context: ssl.SSLContext | None) -> Iterator[list[str]]:
    """A server at each address; their `host:port`."""
    ready: queue.Queue[tuple[list[str], asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def run() -> None:
        made, ended = [await asyncio.start_server(serve, host, 0, ssl=context) for host in hosts], asyncio.Event()
        sites = [f"{host}:{one.sockets[0].getsockname()[1]}" for host, one in zip(hosts, made, strict=True)]
        ready.put((sites, asyncio.get_running_loop(), ended))
        await ended.wait()
        for one in made:
            one.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    sites, loop, ended = ready.get()
    try:
        yield sites
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_url_gets_what_was_sent_without_being_asked(scheme: str, sqlite_settings: Settings, tmp_path: Path) -> None:
    """A host for each shape, which answers oddly and soundly in turn."""
    context = None
    if scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self_signed(tmp_path))
    names = list(SHAPES)
    with servers([f"127.0.1.{number}" for number in range(1, len(names) + 1)], context) as sites:
        paths = [[f"{kind}/{number}" for kind in (f"shape/{name}", "good") for number in range(NUMBER)] for name in names]
        seeds = [f"{scheme}://{site}/{path}" for site, mine in zip(sites, paths, strict=True) for path in mine]
        network = "network: {allow: [127.0.0.0/8], verify_tls: false}"
        politeness = f"delay: {DELAY_SECONDS}, robots: ignore, opt_outs: record"
        crawled = crawl_urls(sqlite_settings, seeds, "scope: {follow_links: false}\nbudgets: {max_retries: 0}", politeness, network)
    good = {url: outcome for url, outcome in crawled.outcomes.items() if "/good/" in url}
    assert good == dict.fromkeys(good, "fetched")
    assert len(good) == NUMBER * len(names)
    bodies = archived(crawled.manifest.segments[0].warc_key, sqlite_settings)
    assert {url: body for url, body in bodies.items() if b"FOREIGN" in body} == {}
    assert all(bodies[url] == f"<p>sound /good/{url[-1]}".encode() for url in good)
    assert all(bodies[url] in {b"<p>sound", b"", b"4\r\n<p>a\r\n0\r\n\r\n", b"<p>a"} for url in bodies if "/shape/" in url)
    assert len(bodies) == len(seeds)


def archived(key: str, settings: Settings) -> dict[str, bytes]:
    with open_store(settings).open(key) as stream:
        return {record.capture.url: record.capture.body for record in read_records(stream, key) if isinstance(record, Record)}
