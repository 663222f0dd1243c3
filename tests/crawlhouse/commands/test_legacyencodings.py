"""Pages of legacy encodings from the wire to the rows: undeclared, wrongly declared in the header, wrongly declared in the page."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.crawlhouse.conftest import Run
from tests.processing.extract.test_decode import CHINESE, JAPANESE, KOREAN, RUSSIAN, TAIWANESE

PAGES = {  # by charset: title and text
    "windows-1251": ("Выставка старых автомобилей", RUSSIAN),
    "koi8-r": ("Выставка старых автомобилей", RUSSIAN),
    "shift_jis": ("古い自動車の展示会", JAPANESE),
    "euc-kr": ("오래된 자동차 전시회", KOREAN),
    "gb18030": ("老式汽车展览", CHINESE),
    "big5": ("老式汽車展覽", TAIWANESE),
}
DECLARED = {  # in the header, in the page
    "nowhere": ("", ""),
    "header": ("; charset=utf-8", ""),
    "page": ("", "windows-1252"),
    "twice": ("; charset=iso-8859-1", "utf-8"),
    "rightly": ("", "{}"),
    "header-wins": ("; charset={}", "utf-8"),
}
SOURCES = {"rightly": "meta", "header-wins": "http"}  # else the detector
CRAWL = """
seeds: [{base}/]
scope: {{sitemaps: false, feeds: false}}
politeness: {{delay: 0, contact: tests@example.com}}
network: {{allow: [127.0.0.1/32]}}
articles: {{site_memory: false, near_duplicate_similarity: 1, min_length: 50}}
"""


def text_of(charset: str, declared: str) -> str:
    """A different text for each page: pages with the same text would be duplicates."""
    return f"{1 + list(DECLARED).index(declared) + 10 * list(PAGES).index(charset)}: {PAGES[charset][1]}"


def page(charset: str, declared: str) -> tuple[str, bytes]:
    """The Content-Type and the bytes of a page."""
    title, (header, meta) = PAGES[charset][0], DECLARED[declared]
    named = f'<meta charset="{meta.format(charset)}">' if meta else ""
    head = f"<head><title>{title}</title>{named}<meta property=og:type content=article></head>"
    html = f"<html>{head}<body><article><h1>{title}</h1><p>{text_of(charset, declared)}</p></article></body></html>"
    return f"text/html{header.format(charset)}", html.encode(charset)


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        _, declared, charset = (*self.path.split("/"), "")[:3]
        if charset in PAGES:
            mime, body = page(charset, declared)
        elif self.path == "/":
            mime = "text/html"
            body = "".join(f"<a href=/{declared}/{charset}>{charset}</a> " for declared in DECLARED for charset in PAGES).encode()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", mime)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_page_is_read_right_and_says_by_whom(nowhere: Run, site: str, tmp_path: Path) -> None:
    (tmp_path / "crawls").mkdir()
    (tmp_path / "crawls" / "legacy.yaml").write_text(CRAWL.format(base=site))
    assert nowhere("crawl", "legacy").code == 0
    assert nowhere("process", "legacy").code == 0
    rows = json.loads(nowhere("query", "SELECT url, charset, charset_source, title, text FROM articles", "-f", "json").out)
    found = {row["url"].removeprefix(site): row for row in rows}
    for declared in DECLARED:
        for charset in PAGES:
            row = found[f"/{declared}/{charset}"]
            assert row["charset"] == charset
            assert row["charset_source"] == SOURCES.get(declared, "detector")
            assert (row["title"], row["text"]) == (PAGES[charset][0], text_of(charset, declared))
