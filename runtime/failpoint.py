"""Failpoints: named places at which a test can kill the process as `kill -9` would."""

from __future__ import annotations

import os
import signal


def reached(name: str) -> None:
    """Die here by SIGKILL if the environment's `CRAWLHOUSE_FAILPOINT` is `name` (or `name:N`, at the N-th time from 1)."""
    wanted, _, count = os.environ.get("CRAWLHOUSE_FAILPOINT", "").partition(":")
    if wanted != name:
        return
    _seen[name] = _seen.get(name, 0) + 1
    if _seen[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)


_seen: dict[str, int] = {}
