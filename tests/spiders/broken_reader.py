"""An answer reader with defects: what it does stands in the URL."""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from typing import Any

from spiders import readerprocess
from spiders.body import read_body


def _broken(question: Any, *arguments: Any) -> Any:
    if "raises" in question.url:
        raise ZeroDivisionError("a defect")
    if "spins" in question.url:
        while True:
            pass
    if "sleeps" in question.url:
        time.sleep(3600)
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


def serve(*arguments: str) -> None:
    """Serves as ever, but for the URLs named above."""
    readerprocess.read_body = _broken
    readerprocess.serve(*arguments)
