"""An answer reader with defects: what it does stands in the URL."""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from typing import Any

from spiders.discover.body import read_body
from spiders.permission.robots_file import RobotsFile
from spiders.reading import reader_process as readerprocess


def _broken(question: Any, *arguments: Any) -> Any:
    if "raises" in question.url:
        raise ZeroDivisionError("a defect")
    if "spins" in question.url:
        while True:
            pass
    time.sleep(next((seconds for word, seconds in {"sleeps": 3600, "naps": 2}.items() if word in question.url), 0))
    if "eats" in question.url:
        eaten = []
        while True:
            eaten.append(bytearray(8 * 1024 * 1024))
    if "forges" in question.url:
        for file in range(3, 20):  # one of them leads to the worker
            with contextlib.suppress(OSError):
                os.write(file, (6).to_bytes(8, "big") + b"\x93\xc0\xa2\x86\x86\xc0")
    if "crashes" in question.url:
        ctypes.string_at(0)
    return read_body(question, *arguments)


class _SlowRobotsFile(RobotsFile):
    """A parser of robots.txt that never ends where a comment says so."""

    def __init__(self, body: bytes, product: str) -> None:
        while b"# spins" in body:
            pass
        super().__init__(body, product)


def serve_questions(*arguments: str) -> None:
    """Serves with the defects above."""
    readerprocess.read_body = _broken
    readerprocess.RobotsFile = _SlowRobotsFile
    readerprocess.serve_questions(*arguments)
