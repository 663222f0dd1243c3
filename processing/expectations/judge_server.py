"""A process that has Great Expectations, and forks one for each gate: `python -m processing.expectations.judge_server FOLDER`.

Importing it takes most of the time of a small process run. Airflow's executor starts this server (`start_server`), and its address is in
the environment of every task. It imports nothing before the first gate, has no threads, and ends with the process that started it. A gate
that finds no server starts a process of its own, as commands do.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from processing.expectations.suite_process import serve
from runtime.child_process import die_with_parent
from runtime.command_line import module_command
from runtime.frames import write_frame
from runtime.scratch import lasting_folder

ADDRESS = "CRAWLHOUSE_JUDGE_SERVER"  # the environment variable with the path of the socket
SOCKET = "judge.sock"
IDLE_SECONDS = 1800.0  # after so long without a gate its memory is free again; the next gate imports once more
POLL_SECONDS = 30.0
CONNECT_SECONDS = 60.0  # far longer than the import takes


def start_server(folder: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a server with its socket in a folder of this user alone, and tell the processes that this one starts from now on.

    Without a folder it is one that lasts as long as this process.
    """
    folder = lasting_folder() if folder is None else folder
    command = module_command("processing.expectations.judge_server", str(folder))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.environ[ADDRESS] = str(folder / SOCKET)
    return process


def connect() -> tuple[socket.socket, int] | None:
    """A connection to a process that judges, and its id; None if there is no server that answers."""
    address = os.environ.get(ADDRESS)
    if not address:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(address)
        size = int.from_bytes(_exactly(connection, 8), "big")
        process_id = int(json.loads(_exactly(connection, size)))
    except (OSError, ValueError):
        connection.close()
        return None
    connection.settimeout(None)
    return connection, process_id


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError("the server ended")
        data += part
    return data


def main() -> NoReturn:
    """Serve until the process ends that started this one."""
    die_with_parent()
    address = Path(sys.argv[1]) / SOCKET
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(64)
        _serve(listener)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 a new interpreter without the memory of this one


def _serve(listener: socket.socket) -> None:
    """Fork a process for each connection, until there was none for a while after one."""
    parent = os.getppid()
    has_served, last = False, time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            is_asked = bool(selector.select(POLL_SECONDS))
            _reap()
            if os.getppid() != parent:  # where the system does not end children with their parent
                sys.exit(0)
            if not is_asked:
                if has_served and time.monotonic() - last > IDLE_SECONDS:
                    return
                continue
            connection, _ = listener.accept()
            if not has_served:
                _import()
            has_served, last = True, time.monotonic()
            if os.fork() == 0:
                listener.close()
                _judge(connection)
            connection.close()


def _reap() -> None:
    """Let go of the processes that have judged."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _judge(connection: socket.socket) -> NoReturn:
    """Answer the orders of one gate, and end."""
    code = 0
    try:
        with connection, connection.makefile("rb") as source, connection.makefile("wb") as sink:
            write_frame(sink, json.dumps(os.getpid()).encode())
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the gate has ended
                serve(source, sink)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        os._exit(code)


def _import() -> None:
    """Import what judging needs, and keep it out of the garbage collector's way, so that its memory stays shared."""
    from processing.expectations import judging
    from processing.expectations.lean_import import import_great_expectations

    import_great_expectations()
    import_module("tqdm").tqdm.monitor_interval = 0  # no thread: a fork would take its locks along
    judging.prepare()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
