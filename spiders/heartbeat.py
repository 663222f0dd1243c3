"""The heartbeat of a worker: a byte a second from its event loop to its parent. The parent ends a worker whose loop does not run."""

from __future__ import annotations

import asyncio
import os
import select
import time
from contextlib import suppress

BEAT_SECONDS = 1.0
SILENCE_SECONDS = 90.0  # longer than a busy database may block (60 seconds)
LONGEST_STEP_SECONDS = 5.0  # one check counts at most so much as silence: the parent itself may have been stopped meanwhile


class Heartbeat:
    """Beats while the event loop runs. `file` is the writing end of a pipe, None for a worker that nobody watches."""

    def __init__(self, file: int | None) -> None:
        self._file = file
        if file is not None:
            os.set_blocking(file, False)

    def start(self) -> None:
        """Beat now, and every BEAT_SECONDS."""
        if self._file is None:
            return
        with suppress(BlockingIOError):  # the parent reads slowly; this loop runs
            os.write(self._file, b".")
        asyncio.get_running_loop().call_later(BEAT_SECONDS, self.start)

    def end(self) -> None:
        """The loop ends normally: from now on, silence is not a sign of trouble."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None


class HeartbeatMonitor:
    """The parent's side: how long a worker's loop has been silent. `file` is the reading end of the pipe; `is_over`: it ended normally."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._silence = 0.0
        self._looked_at = 0.0  # 0: no beat was ever heard, or the last one was
        self.is_over = False
        os.set_blocking(file, False)

    def silence(self, wait: float) -> float:
        """Wait at most `wait` seconds for a beat. Returns the seconds since the last beat, 0 before the first and after the end."""
        if self.is_over:
            return 0.0
        ready, _, _ = select.select([self._file], [], [], wait)
        now = time.monotonic()
        beats = self._read() if ready else None
        if beats == b"":
            self.is_over, self._silence = True, 0.0
        elif beats:
            self._looked_at, self._silence = now, 0.0
        elif self._looked_at:
            self._silence += min(now - self._looked_at, LONGEST_STEP_SECONDS)
            self._looked_at = now
        return self._silence

    def _read(self) -> bytes | None:
        try:
            return os.read(self._file, 4096)
        except BlockingIOError:
            return None
