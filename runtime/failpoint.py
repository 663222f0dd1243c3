"""Failpoints: named places where a test can kill the process, as `kill -9` does."""

from __future__ import annotations

import os
import signal


def reached(name: str) -> None:
    """Kill this process here if the variable `CRAWLHOUSE_FAILPOINT` is `name`, or at the N-th call if it is `name:N`."""
    wanted, _, count = os.environ.get("CRAWLHOUSE_FAILPOINT", "").partition(":")
    if wanted != name:
        return
    _seen[name] = _seen.get(name, 0) + 1
    if _seen[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)


_seen: dict[str, int] = {}
