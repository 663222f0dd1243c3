"""The process that judges rows, as the gate sees it: started with the first request, asked again and again, ended with the gate."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from runtime.command_line import module_command
from runtime.frames import FrameBuffer, write_frame
from schemas.errors import GateError

TIMEOUT_SECONDS = 1800.0  # of one order: far longer than expectations need; a process that hangs must not block the gate for ever
READ_BYTES = 65_536
END_SECONDS = 10.0  # for a process without further orders to end
Values = dict[str, Any]  # JSON


class JudgeProcess:
    """`suite_process`, which imports Great Expectations once, however often it is asked."""

    def __init__(self, folder: Path) -> None:
        """The folder is for orders and results; it must stay until `close`."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = 0

    def judge(self, batches: Sequence[Mapping[str, Any]]) -> list[Values]:
        """The answer for each batch. Raises GateError when they cannot be judged."""
        self._asked += 1
        order, result = (self._folder / f"{name}-{self._asked}.json" for name in ("order", "result"))
        order.write_text(json.dumps(list(batches)), encoding="utf-8")
        self._process = self._process or self._start()
        try:
            write_frame(cast("Any", self._process.stdin), json.dumps([str(order), str(result)]).encode())
        except OSError as error:
            raise self._ended(self._process) from error
        self._wait_for_answer(self._process)
        return list(json.loads(result.read_text(encoding="utf-8")))

    def close(self) -> None:
        """End the process."""
        process = self._process
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            cast("Any", pipe).close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"GX_ANALYTICS_ENABLED": "False"}
        with self._messages.open("wb") as messages:
            command = module_command("processing.expectations.suite_process")
            return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=messages)

    def _wait_for_answer(self, process: subprocess.Popen[bytes]) -> None:
        received, deadline = FrameBuffer(), time.monotonic() + TIMEOUT_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(cast("Any", process.stdout), selectors.EVENT_READ)
            while received.pop() is None:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    process.kill()
                    raise GateError(f"The expectations were not judged within {TIMEOUT_SECONDS:g} seconds. Nothing was published.")
                data = os.read(cast("Any", process.stdout).fileno(), READ_BYTES)
                if not data:
                    raise self._ended(process)
                received.feed(data)

    def _ended(self, process: subprocess.Popen[bytes]) -> GateError:
        code = process.wait()
        messages = self._messages.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = messages[-1] if messages else "no message"
        return GateError(f"The expectations could not be judged (exit code {code}): {last}. Nothing was published.")

    @property
    def _messages(self) -> Path:
        return self._folder / "messages.txt"
