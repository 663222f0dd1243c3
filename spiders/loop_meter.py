"""A meter for the event loop: which callback held it up the longest. Switched on by an environment variable, for benchmarks only."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import time
from asyncio import events
from dataclasses import asdict, dataclass
from pathlib import Path

METER_VARIABLE = "CRAWLHOUSE_LOOP_METER"
UVLOOP = "uvloop.Loop"


def loop_class() -> str:
    """The event loop of a worker by its name; with the variable set to a file, a plain one that writes there what it measured."""
    return f"{__name__}.MeteredLoop" if os.environ.get(METER_VARIABLE) else UVLOOP


@dataclass(slots=True)
class SlowestCallback:
    """The callback with the most CPU seconds of its thread (`cpu`), and its wall seconds (`wall`).

    `longest_wall` is the longest wall time of any callback, `callbacks` their number.
    """

    cpu: float = 0.0
    wall: float = 0.0
    callback: str = ""
    longest_wall: float = 0.0
    callbacks: int = 0


class MeteredLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, whose callbacks are Python objects. At the end of the process it writes its `SlowestCallback` as JSON."""

    def __init__(self) -> None:
        super().__init__()
        self._slowest = SlowestCallback()
        run = events.Handle._run  # noqa: SLF001 there is no public way to be told

        def measured(handle: events.Handle) -> None:
            cpu, wall = time.thread_time(), time.perf_counter()
            run(handle)
            self._note(time.thread_time() - cpu, time.perf_counter() - wall, handle)

        events.Handle._run = measured  # type: ignore[method-assign, assignment]  # noqa: SLF001
        atexit.register(self._write)

    def _note(self, cpu: float, wall: float, handle: events.Handle) -> None:
        slowest = self._slowest
        slowest.callbacks += 1
        slowest.longest_wall = max(slowest.longest_wall, wall)
        if cpu > slowest.cpu:
            slowest.cpu, slowest.wall, slowest.callback = cpu, wall, repr(handle)[:500]

    def _write(self) -> None:
        Path(os.environ[METER_VARIABLE]).write_text(json.dumps(asdict(self._slowest)), encoding="utf-8")
