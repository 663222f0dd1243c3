"""Children that are forked before a process has threads, each for one later use. They need not import again what it has imported.

A fork is not safe in a process with threads, so `forked_early` forks nothing in one, nor where threads cannot be counted (macOS). Who needs
a child takes a forked one, or starts a new interpreter (`runtime.child.command`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from runtime.child_process import run

Call = tuple[str, ...]  # `module.function`, then its arguments
TASKS, FILES = Path("/proc/self/task"), Path("/proc/self/fd")  # an entry for each thread, and for each open file
WAIT_SECONDS = 0.005


@dataclass(slots=True, eq=False)
class ForkedChild:
    """A child process with pipes, to be used as a `subprocess.Popen`. Its standard error is the file `stderr`; None is ours."""

    pid: int
    stdin: BinaryIO
    stdout: BinaryIO
    stderr: BinaryIO | None
    returncode: int | None = field(default=None, init=False)

    def kill(self) -> None:
        """End it at once."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end. Gives its exit code; negative: the number of a signal. Raises TimeoutExpired."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self.returncode is None:
            process_id, status = os.waitpid(self.pid, 0 if deadline is None else os.WNOHANG)
            if process_id:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired([str(self.pid)], seconds or 0.0)
            else:
                time.sleep(WAIT_SECONDS)
        return self.returncode

    def close(self) -> None:
        """Kill it, wait for it, and close its pipes."""
        self.kill()
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


_waiting: dict[Call, list[ForkedChild]] = {}


@contextmanager
def forked_early(calls: Sequence[Call], apart: Sequence[Call] = ()) -> Iterator[None]:
    """In this block `take` gives a child for each of these calls, once; a call may stand there several times.

    The standard error of those `apart` is a file.
    """
    try:
        if _has_one_thread():
            for call in (*calls, *apart):
                _waiting.setdefault(call, []).append(_fork(call, apart=call in apart))
        yield
    finally:
        for call in (*calls, *apart):
            if (child := take(*call)) is not None:
                child.close()


def take(*call: str) -> ForkedChild | None:
    """A child that waits for a call, from now on the caller's; None if there is none."""
    children = _waiting.get(call)
    return children.pop() if children else None


def _has_one_thread() -> bool:
    try:
        return sum(1 for _ in TASKS.iterdir()) == 1
    except OSError:
        return False


def _fork(call: Call, *, apart: bool) -> ForkedChild:
    errors = cast("BinaryIO", tempfile.TemporaryFile()) if apart else None  # noqa: SIM115 it is open as long as the child
    source, stdin = os.pipe()
    stdout, sink = os.pipe()
    for stream in (sys.stdout, sys.stderr):  # what is not written yet is not the child's to write
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    pid = os.fork()
    if pid == 0:
        _become(call, source, sink, 2 if errors is None else errors.fileno())
    os.close(source)
    os.close(sink)
    return ForkedChild(pid, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"), errors)


def _become(call: Call, source: int, sink: int, errors: int) -> NoReturn:
    """Be the child: with these files alone, none of this process's locks and pipes among them."""
    code = 1
    try:
        for number, handle in enumerate([fcntl.fcntl(handle, fcntl.F_DUPFD, 3) for handle in (source, sink, errors)]):
            os.dup2(handle, number)
        for number in [int(path.name) for path in FILES.iterdir()]:
            if number > 2:
                with contextlib.suppress(OSError):  # the folder itself, which is closed already
                    os.close(number)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        run(*call)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)
