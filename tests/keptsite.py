"""The small site that the kept homes in `tests/data` were made from: always at the same address, which their frontiers name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST, PORT = "127.11.4.4", 20080  # an address of this machine that nothing else uses
BASE = f"http://{HOST}:{PORT}"
ARTICLES = 8
WORDS = (  # noqa: SIM905 a list of them would be 36 lines
    "harbour council storm bridge market teacher engine river budget forest village doctor museum railway farmer island school letter "
    "winter summer garden window station library bakery ferry castle mountain valley sailor painter concert stadium journal theatre"
).split()


@contextmanager
def kept_site(tick: int) -> Iterator[str]:
    """Serve the site as it is at a tick: each tick has two articles more, and article 1 has another text. Yields its base URL."""
    server = _Server((HOST, PORT), _Handler)
    server.tick = tick
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield BASE
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def article_paths(tick: int) -> list[str]:
    """The paths of the articles at a tick."""
    return [f"/news/{number}" for number in range(1, ARTICLES + 2 * tick + 1)]


class _Server(ThreadingHTTPServer):
    tick = 0


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        path, tick = self.path.removeprefix(BASE), self.server.tick
        if path == "/":
            self._answer(_page("News of the day", "".join(f'<li><a href="{link}">{link}</a>' for link in article_paths(tick))))
        elif path in article_paths(tick):
            number = int(path.rpartition("/")[2])
            self._answer(_article(number, edition=tick if number == 1 else 0))
        else:
            self.send_error(404)

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _page(title: str, content: str) -> str:
    return f"<!doctype html><html lang=en><head><title>{title}</title></head><body><main>{content}</main></body></html>"


def _article(number: int, edition: int) -> str:
    title = f"The {_word(number)} and the {_word(number * 5 + 1)} of year {number}"
    sentences = 1 if number == 2 else 12  # article 2 is too short for the lake
    paragraphs = [_sentence(number * 100 + edition * 17 + line) for line in range(sentences)]
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return _page(title, f'<article><h1>{title}</h1><time datetime="2026-01-{number:02}">January</time>{text}</article>')


def _sentence(seed: int) -> str:
    words = [_word(seed * 7 + place * place + place * seed) for place in range(16)]
    return f"In the {seed}th {words[0]} the {' '.join(words[1:8])} met a {' and a '.join(words[8:])} before noon."


def _word(number: int) -> str:
    return WORDS[number % len(WORDS)]
