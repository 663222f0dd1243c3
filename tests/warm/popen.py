"""`subprocess.Popen` that has the warm server fork what it knows: `install()` puts it in place of the real one."""

from __future__ import annotations

import ctypes
import inspect
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.child import START_CODE
from tests import PROJECT

SWITCH = "CRAWLHOUSE_TESTS_COLD"
MODULES = ("demo.site", "processing.expectations.judge_server", "processing.expectations.suite_process", "spiders.worker")
SCRIPT = str(Path(sys.executable).with_name("crawlhouse"))
WARM_CODE = "# on what the warm server has imported\n"
_SET_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
_LARGEST_REQUEST = 150_000

_ColdPopen = subprocess.Popen


@dataclass(frozen=True, slots=True)
class Request:
    """What a warm process is to be."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str
    kept: tuple[int, ...]
    new_session: bool
    process_group: int
    starts_others: bool


class Server:
    """The other end of a warm server, started at the first request."""

    def __init__(self, connection: socket.socket | None = None) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def start(self, request: Request, files: list[int]) -> int:
        """The pid of a new child of this process; OSError when the server is gone. `files` are its 0, 1 and 2, then those it keeps."""
        with self._lock:
            if self._connection is None:
                self._connection = _started_server()
            _adopt_orphans(wanted=True)
            try:
                socket.send_fds(self._connection, [pickle.dumps(request)], files)
                answer = self._connection.recv(64)
            finally:
                _adopt_orphans(wanted=False)
            if not answer:
                raise ConnectionResetError("the warm server ended")
            return int(answer)


class WarmPopen(_ColdPopen):  # type: ignore[type-arg]
    """Starts warm what the server knows, and anything else as ever."""

    server = Server()

    def _execute_child(self, *given: Any) -> None:
        asked = _SIGNATURE.bind(self, *given).arguments
        pid = None if os.environ.get(SWITCH) == "1" else self._start_warm(asked)
        if pid is None:
            super()._execute_child(*given)  # type: ignore[misc]
            return
        self.pid, self._child_created = pid, True
        self._close_pipe_fds(*(asked[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")))  # type: ignore[attr-defined]

    def _start_warm(self, asked: dict[str, Any]) -> int | None:
        request = _request(asked)
        if request is None:
            return None
        files = [own if asked[name] == -1 else asked[name] for own, name in enumerate(("p2cread", "c2pwrite", "errwrite"))]
        try:
            return self.server.start(request, [*files, *request.kept])
        except OSError:  # it was killed with its group
            return None


_SIGNATURE = inspect.signature(_ColdPopen._execute_child)  # type: ignore[attr-defined]


def install() -> None:
    """From now on `subprocess` starts warm what it can."""
    if sys.platform == "linux":
        subprocess.Popen = WarmPopen  # type: ignore[misc]


@contextmanager
def cold() -> Iterator[None]:
    """Everything starts cold meanwhile, and whatever that starts."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def _request(asked: dict[str, Any]) -> Request | None:
    """What to ask of the server, or None for what it does not know."""
    if (
        not isinstance(asked["args"], list | tuple)
        or asked["shell"]
        or asked["executable"]
        or asked["preexec_fn"]
        or not asked["close_fds"]
    ):
        return None
    if any(asked[name] is not None for name in ("gid", "gids", "uid")) or asked["umask"] >= 0:
        return None
    arguments = tuple(os.fspath(argument) for argument in asked["args"])
    if not _known(arguments):
        return None
    folder = os.fspath(asked["cwd"] or Path.cwd())
    environment = dict(os.environ if asked["env"] is None else asked["env"])
    if environment.get("PYTHONPATH", str(PROJECT)).strip(os.pathsep) != str(PROJECT):  # another may hide modules
        return None
    kept = tuple(asked["pass_fds"])
    request = Request(arguments, environment, folder, kept, asked["start_new_session"], asked["process_group"], _starts_others(arguments))
    return request if Path(folder).is_dir() and len(pickle.dumps(request)) < _LARGEST_REQUEST else None


def _known(arguments: tuple[str, ...]) -> bool:
    if arguments[0] == SCRIPT:
        return True
    kind, what = [*(argument for argument in arguments[1:4] if argument != "-P"), "", ""][:2]
    ours = what == START_CODE or what.startswith(WARM_CODE)
    return arguments[0] == sys.executable and ((kind == "-m" and what in MODULES) or (kind == "-c" and ours))


def _starts_others(arguments: tuple[str, ...]) -> bool:
    return arguments[0] == SCRIPT or any(argument.startswith(WARM_CODE) for argument in arguments[1:4])


def _started_server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.warm.server", str(theirs.fileno())]
    server = _ColdPopen(command, cwd=PROJECT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    server.returncode = 0  # it ends with us: nobody waits for it
    theirs.close()
    return ours


def _adopt_orphans(*, wanted: bool) -> None:
    """Whether an orphan below this process becomes its child: so does what the server's helper leaves behind."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)
