"""A small HTTP(S) server in a thread, which remembers what it was asked and when; its answers are a function of the path."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Headers = dict[str, str]
Respond = Callable[[str, int], tuple[int, Headers, bytes]]  # path (or a proxy's whole URL) and how often it was asked before
RespondPut = Callable[[str], tuple[int, Headers, bytes]]  # path
RespondPost = Callable[[str, bytes, int], tuple[int, Headers, bytes]]  # path, body, and how often exactly that was sent before

RespondToCookie = Callable[[str, str], tuple[int, Headers, bytes] | None]


@dataclass(frozen=True)
class Asked:
    """One request. `begin` and `end` in seconds of the monotonic clock."""

    path: str
    headers: Headers
    begin: float
    end: float
    method: str = "GET"
    body: bytes = b""


@dataclass
class SmallServer:
    """A running server."""

    base: str
    asked: list[Asked] = field(default_factory=list)

    def paths(self) -> list[str]:
        """The paths in the order of their requests."""
        return [one.path for one in sorted(self.asked, key=lambda one: one.begin)]


@contextmanager
def small_server(
    respond: Respond,
    host: str = "127.0.0.1",
    certificate: tuple[str, str] | None = None,
    post: RespondPost | None = None,
    respond_to_cookie: RespondToCookie = lambda path, cookie: None,
    put: RespondPut = lambda path: (405, {}, b""),
) -> Iterator[SmallServer]:
    """A server on a free port; with a certificate and its key (files) it speaks TLS. `post` answers what is sent to it, `put` a PUT.

    `respond_to_cookie` answers by the path and the Cookie header, where it wants to.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            begin = time.monotonic()
            times = sum(one.path == self.path for one in running.asked)
            status, headers, body = respond_to_cookie(self.path, self.headers.get("Cookie", "")) or respond(self.path, times)
            running.asked.append(Asked(self.path, dict(self.headers.items()), begin, time.monotonic()))
            self._answer(status, headers, body)

        def do_POST(self) -> None:
            assert post is not None
            begin, sent = time.monotonic(), self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, body = post(self.path, sent, sum((one.path, one.body) == (self.path, sent) for one in running.asked))
            running.asked.append(Asked(self.path, dict(self.headers.items()), begin, time.monotonic(), "POST", sent))
            self._answer(status, headers, body)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._answer(*put(self.path))

        def do_DELETE(self) -> None:
            self._answer(204, {}, b"")

        def _answer(self, status: int, headers: Headers, body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign] a client that hangs up is part of the tests
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    running = SmallServer(f"{'https' if certificate else 'http'}://{host}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
