"""The warm server: `python -m tests.warm.server FD` imports what our processes need, and forks one for every request.

The helper that forks a request's process leaves it an orphan, which makes it the child of whoever asked. It goes on as the program that
was asked for would. One that may start workers itself gets a server of its own, forked before anything else happened in it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import os
import pickle
import pkgutil
import runpy
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import crawlhouse
import demo
import processing
import schemas
import spiders
import storage
from demo.news.newsroom import edition
from processing.expectations.lean_import import import_great_expectations

if TYPE_CHECKING:
    from tests.warm.popen import Request

ROOMS = (schemas, storage, spiders, processing, demo, crawlhouse)
# only Airflow imports these
WEB = ("access", "answers", "dag_states", "lake_pages", "pages")
COLD = (
    *(f"crawlhouse.airflow.{name}" for name in ("celery_worker", "executor", "plugin", "task_logs")),
    *(f"crawlhouse.airflow.web.{name}" for name in WEB),
)
MAINS = (  # run anew as `__main__`
    "demo.site",
    "processing.expectations.judge_server",
    "processing.expectations.suite_process",
    "spiders.replay.worker",
    "spiders.worker",
)
USED = ("pandas", "psycopg", "duckdb", "boto3", "pyiceberg.catalog.sql", "sqlalchemy.dialects.postgresql.psycopg")
STANDARD = 3  # files: input, output, errors
LARGEST_MESSAGE = 1 << 20
MOST_FILES = 64


def main() -> NoReturn:
    """Serve until whoever started this ends."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    _import_all()
    gc.collect()
    gc.freeze()
    request, its_server = serve(connection)
    _run(request, its_server)


def _import_all() -> None:
    import_great_expectations()
    for name in USED:
        import_module(name)
    for room in ROOMS:
        for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
            if module.name not in COLD:
                import_module(module.name)
    for name in MAINS:
        del sys.modules[name]
    edition(0)  # each demo site begins with it


def serve(connection: socket.socket) -> tuple[Request, socket.socket | None]:
    """Forks for every request; returns in each new process only, with what it is to be and the server that is its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            message, files, _, _ = socket.recv_fds(connection, LARGEST_MESSAGE, MOST_FILES)
        except ConnectionResetError:
            message = b""
        if not message:
            os._exit(0)
        told, tell = os.pipe()
        adopted, adopt = os.pipe()
        helper = os.fork()
        if helper == 0:
            child = os.fork()
            if child:
                os.write(tell, str(child).encode())
                os._exit(0)
            os.close(adopt)
            os.read(adopted, 1)  # its end comes once the helper is gone: whoever asked is the parent now
            connection.detach()  # its number may soon be another file's, which its end would close
            return _become(pickle.loads(message), files)  # our own
        os.close(tell)
        pid = os.read(told, LARGEST_MESSAGE)
        os.waitpid(helper, 0)
        for file in (told, adopted, adopt, *files):
            os.close(file)
        try:
            connection.send(pid)
        except OSError:
            os._exit(0)


def _become(request: Request, files: list[int]) -> tuple[Request, socket.socket | None]:
    if request.new_session:
        os.setsid()
    if request.process_group >= 0:
        os.setpgid(0, request.process_group)
    ours: socket.socket | None = None
    if request.starts_others:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            nothing = os.open(os.devnull, os.O_RDWR)
            _have_only(dict.fromkeys(range(STANDARD), nothing), theirs.fileno())
            ours.detach()
            return serve(theirs)
        theirs.detach()
    targets = [*range(STANDARD), *request.kept]
    _have_only(dict(zip(targets, files, strict=True)), *([ours.fileno()] if ours else []))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return request, ours


def _have_only(wanted: dict[int, int], *kept: int) -> None:
    """Have the files `wanted`, each by its number, and `kept`; close all others."""
    above = max([*wanted, *kept]) + 1
    beside = {target: fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, above) for target, file in wanted.items()}
    for target, file in beside.items():
        os.dup2(file, target)
    stay = sorted({*wanted, *kept})
    for file, after in zip(stay, [*stay[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        if file + 1 < after:
            os.closerange(file + 1, after)


def _run(request: Request, its_server: socket.socket | None) -> NoReturn:
    from tests.warm import popen

    if its_server is not None:
        popen.WarmPopen.server = popen.Server(its_server)
        popen.install()
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    before = [entry for entry in request.environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    program, *arguments = request.arguments
    sys.orig_argv = list(request.arguments)
    if program == sys.executable:
        safe = arguments[0] == "-P"
        kind, what, *arguments = arguments[1:] if safe else arguments
        sys.path[0:1] = before if safe else [request.folder, *before]
    else:
        kind, what = "script", program
        sys.path[0:1] = [str(Path(program).parent), *before]
    sys.argv = [what if kind == "script" else "-c" if kind == "-c" else "-m", *arguments]
    code = 1
    try:
        if kind == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        elif kind == "-c":
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
        else:
            runpy.run_path(what, run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = _exit_code(ended)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # as the interpreter itself
        traceback.print_exc()
    _end(code)


def _exit_code(ended: SystemExit) -> int:
    if ended.code is None:
        return 0
    if isinstance(ended.code, int):
        return ended.code & 0xFF
    print(ended.code, file=sys.stderr)
    return 1


def _end(code: int) -> NoReturn:
    """End as the interpreter does, but for taking itself apart, which would copy all that is shared."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
