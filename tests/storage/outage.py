"""A server that goes away for a while: a forwarder in front of it, which drops all connections and takes no others for some time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

PART = 1 << 16


class Forwarder:
    """Forwards connections from `here` to `there`: a (host, port), or the path of a Unix socket."""

    def __init__(self, here: tuple[str, int] | str, there: tuple[str, int] | str) -> None:
        self._here, self._there = here, there
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._cuts: list[threading.Timer] = []
        self.cut_count = 0
        self.open()

    @property
    def port(self) -> int:
        """The port on loopback."""
        assert isinstance(self._here, tuple)
        return self._here[1]

    def open(self) -> None:
        """Take connections (again)."""
        listener = _socket(self._here)
        if isinstance(self._here, str):
            Path(self._here).unlink(missing_ok=True)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._here)
        listener.listen(64)
        if isinstance(self._here, tuple):
            self._here = listener.getsockname()
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self, seconds: float) -> None:
        """Be away for some seconds, from now on; an earlier cut that lasts longer is forgotten."""
        self.cut_count += 1
        for cut in self._cuts:
            cut.cancel()
            cut.join()
        self._cuts.clear()
        self.close()
        timer = threading.Timer(seconds, self.open)
        timer.daemon = True
        self._cuts.append(timer)
        timer.start()

    def close(self) -> None:
        """Drop all connections, and take no others."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # the copying threads close it
        self._open.clear()

    def end(self) -> None:
        """Close, and do not open again."""
        for cut in self._cuts:
            cut.cancel()
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                ours, _ = listener.accept()
                theirs = _socket(self._there)
                theirs.connect(self._there)
                self._open += [ours, theirs]
                for source, target in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _socket(address: tuple[str, int] | str) -> socket.socket:
    return socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(PART):
            target.sendall(part)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def store_behind(endpoint: str) -> Iterator[tuple[Forwarder, str]]:
    """A forwarder in front of an S3 server, and its URL."""
    host, _, port = endpoint.rpartition("/")[2].partition(":")
    forwarder = Forwarder(("127.0.0.1", 0), (host, int(port)))
    try:
        yield forwarder, f"http://127.0.0.1:{forwarder.port}"
    finally:
        forwarder.end()


@contextmanager
def database_behind(url: str, folder: Path) -> Iterator[tuple[Forwarder, str]]:
    """A forwarder in front of a PostgreSQL on a Unix socket, and its URL."""
    (host,) = parse_qs(urlsplit(url).query)["host"]
    forwarder = Forwarder(str(folder / ".s.PGSQL.5432"), f"{host}/.s.PGSQL.5432")
    try:
        yield forwarder, url.replace(quote(host, safe=""), quote(str(folder), safe="")).replace(host, str(folder))
    finally:
        forwarder.end()
