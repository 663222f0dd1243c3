"""The process that judges rows, as the gate sees it: started with the first request, asked again and again, ended with the gate."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from processing.expectations.judge_server import connect
from runtime.child import ChildProcess
from runtime.command_line import module_command
from runtime.forked_child import take
from runtime.frames import FrameBuffer, write_frame
from schemas.errors import GateError

TIMEOUT_SECONDS = 1800.0  # of one order: far longer than expectations need; a process that hangs must not block the gate for ever
READ_BYTES = 65_536
END_SECONDS = 10.0  # for a process without further orders to end
JUDGE = ("processing.expectations.suite_process.main",)  # for `runtime.forked_child.forked_early`: the gate's process is that child then
Values = dict[str, Any]  # JSON


class _Process(Protocol):
    """A process that judges, with its input and its output."""

    @property
    def sink(self) -> BinaryIO: ...

    @property
    def source(self) -> int: ...

    def kill(self) -> None:
        """End it at once."""

    def close(self) -> None:
        """Let it end, as it does without further orders."""

    def why_it_ended(self) -> str:
        """What is known of a process that ended too early."""
        ...


class JudgeProcess:
    """A process that has imported Great Expectations once, however often it is asked: forked by the judge server, or a new one."""

    def __init__(self, folder: Path) -> None:
        """The folder is for orders and results; it must stay until `close`."""
        self._folder = folder
        self._process: _Process | None = None
        self._asked = 0

    def judge(self, batches: Sequence[Mapping[str, Any]]) -> list[Values]:
        """The answer for each batch. Raises GateError when they cannot be judged."""
        self._asked += 1
        order, result = (self._folder / f"{name}-{self._asked}.json" for name in ("order", "result"))
        order.write_text(json.dumps(list(batches)), encoding="utf-8")
        self._process = self._process or _forked() or _Started(self._folder / "messages.txt")
        try:
            write_frame(self._process.sink, json.dumps([str(order), str(result)]).encode())
        except OSError as error:
            raise _ended(self._process) from error
        _wait_for_answer(self._process)
        return list(json.loads(result.read_text(encoding="utf-8")))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
        self._process = None


class _Started:
    """A process of this gate's own, with pipes: one that was forked early, or a new interpreter."""

    def __init__(self, messages: Path) -> None:
        self._process: ChildProcess
        self._errors: BinaryIO
        if (forked := take(*JUDGE)) is not None:
            self._process, self._errors = forked, cast("BinaryIO", forked.stderr)
            return
        self._errors = messages.open("w+b")
        environment = os.environ | {"GX_ANALYTICS_ENABLED": "False"}
        command = module_command("processing.expectations.suite_process")
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)

    @property
    def sink(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdin)

    @property
    def source(self) -> int:
        return cast("BinaryIO", self._process.stdout).fileno()

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                cast("BinaryIO", pipe).close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def why_it_ended(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        messages = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return f"exit code {code}): {messages[-1] if messages else 'no message'}"


class _Forked:
    """A process that the judge server has forked, with a socket. It ends with the connection."""

    def __init__(self, connection: Any, process_id: int) -> None:  # Any: a socket
        self._connection, self._process_id = connection, process_id
        self.sink: BinaryIO = connection.makefile("wb")

    @property
    def source(self) -> int:
        return int(self._connection.fileno())

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process_id, signal.SIGKILL)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sink.close()
        self._connection.close()

    def why_it_ended(self) -> str:
        return f"process {self._process_id}): it ended; the log of Airflow's scheduler or worker may say why"


def _forked() -> _Forked | None:
    found = connect()
    return None if found is None else _Forked(*found)


def _wait_for_answer(process: _Process) -> None:
    received, deadline = FrameBuffer(), time.monotonic() + TIMEOUT_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.source, selectors.EVENT_READ)
        while received.pop() is None:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                process.kill()
                raise GateError(f"The expectations were not judged within {TIMEOUT_SECONDS:g} seconds. Nothing was published.")
            try:
                data = os.read(process.source, READ_BYTES)
            except ConnectionResetError:
                data = b""
            if not data:
                raise _ended(process)
            received.feed(data)


def _ended(process: _Process) -> GateError:
    return GateError(f"The expectations could not be judged ({process.why_it_ended()}. Nothing was published.")
