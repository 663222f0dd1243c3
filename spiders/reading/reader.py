"""One response reader, on the worker's side: its process, the socket to it, and the questions that were sent to it."""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

import msgspec

from runtime.child import ChildFailure, child_failure, command, cpu_seconds, reap
from runtime.child_results import UNDECODABLE
from runtime.frames import FrameBuffer, FrameError, header
from schemas.outcomes import Reason
from spiders.messages.rules import ReadingRules
from spiders.messages.wire import MAX_REPLY_BYTES, REPLIES, Question, ReaderReply, question_head
from spiders.reading.journal import ReadingJournal

ENTRY = "spiders.reading.reader_process.serve_questions"
WINDOW_QUESTIONS = 16
WINDOW_BYTES = 512 * 1024
RECEIVE_BYTES = 256 * 1024
BATCH_SECONDS = 0.05  # chosen: after so long, other callbacks of the event loop have their turn
PIECES = 64  # buffers that one system call sends
LOW_PRIORITY = 10
ENVIRONMENT = ("PATH", "LANG", "TZ", "TMPDIR", "HOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "CRAWLHOUSE_MARK", "CRAWLHOUSE_TESTS_COLD")
PREFIXES = ("PYTHON", "LC_", "MALLOC_")  # a reader has no use for the worker's secrets
_PEAK: Final = msgspec.msgpack.Decoder(int)


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits of one response: CPU and wall seconds, and bytes of memory more than a fresh reader has."""

    cpu_seconds: float = 10.0
    wall_seconds: float = 120.0
    memory_bytes: int = 384 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A response could not be read: PAGE_TIMEOUT, PAGE_MEMORY or PAGE_CRASH, and what happened in one line."""

    reason: Reason
    detail: str


@dataclass(slots=True, eq=False)
class PendingQuestion:
    """A question with its body. `on_result` gets the result. `crashes` counts the readers that ended while they were reading it."""

    number: int
    question: Question
    body: bytes
    on_result: Callable[[ReaderReply | ReadFailure], None]
    host: str
    since: float
    crashes: int = 0


class ReaderOwner(Protocol):
    """What a reader calls when something happens to it."""

    def replied(self, reader: Reader, waiting: PendingQuestion, reply: ReaderReply) -> None:
        """A reply to the reader's first question, which is no longer among its questions."""

    def became_ready(self, reader: Reader) -> None:
        """The reader is ready to read."""

    def ended(self, reader: Reader, cause: ChildFailure) -> None:
        """The reader's process ended by itself, or what it wrote is not a reply."""


class Reader:
    """A process that reads, started at `now` by its owner's clock.

    `is_slow`: its response takes long. `is_leaving`: it gets no more questions.
    """

    def __init__(self, owner: ReaderOwner, rules: ReadingRules, limits: ReadLimits, journal: ReadingJournal, now: float) -> None:
        self.questions: deque[PendingQuestion] = deque()
        self.is_ready = False
        self.is_slow = False
        self.is_leaving = False
        self.started = now
        self._owner, self._limits, self._journal = owner, limits, journal
        self._loop = asyncio.get_running_loop()
        self._received = FrameBuffer(MAX_REPLY_BYTES)
        self._bytes = 0
        self._memory_at_start = 0
        self._head = (0, 0.0)
        self._is_closed = self._is_writing = False
        self._place, self._slot = journal.take_slot()
        self._process, self._socket = self._start()
        self._out: deque[memoryview] = deque()
        self._loop.add_reader(self._socket.fileno(), self._receive)
        setup = pickle.dumps(rules, protocol=5)
        self._write(header(len(setup)) + setup)

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        journal = self._journal.open_for_child()
        limits = (str(self._limits.memory_bytes), str(self._limits.cpu_seconds))
        kept = {name: value for name, value in os.environ.items() if name in ENVIRONMENT or name.startswith(PREFIXES)}
        try:
            process = subprocess.Popen(
                command(ENTRY, *limits, str(journal), str(self._place)),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=kept,
                pass_fds=[journal],
                process_group=0,  # a signal to the worker's group does not end it: the worker decides
            )
        finally:
            theirs.close()
            os.close(journal)
        ours.setblocking(False)
        return process, ours

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def has_capacity(self) -> bool:
        """Whether one more question may be sent to it."""
        return not self.is_leaving and (not self.questions or (len(self.questions) < WINDOW_QUESTIONS and self._bytes < WINDOW_BYTES))

    def send(self, waiting: PendingQuestion) -> None:
        """Add a question to what `flush` sends."""
        head = question_head(waiting.number, waiting.question)
        self.questions.append(waiting)
        self._bytes += len(waiting.body)
        self._out.append(memoryview(header(len(head) + len(waiting.body)) + head))
        if waiting.body:
            self._out.append(memoryview(waiting.body))

    def flush(self) -> None:
        """Send what can be sent now. The rest is sent as soon as it can be."""
        if not self._is_writing:
            self._send()

    def withdraw_waiting(self) -> list[PendingQuestion]:
        """Take back all its questions except the first, and return them."""
        rest = list(islice(self.questions, 1, None))
        while len(self.questions) > 1:
            self._bytes -= len(self.questions.pop().body)
        return rest

    def lower_priority(self) -> None:
        """Its response takes long: let other processes have the CPU first."""
        self.is_slow = True
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, LOW_PRIORITY)

    def retire(self) -> None:
        """Give it no more questions."""
        self.is_leaving = True

    def current_question(self, now: float) -> tuple[PendingQuestion | None, float, float]:
        """The question that it is reading (None: between two), and the CPU and wall seconds so far, by the owner's clock.

        Between two, the wall seconds are those for which it has not begun the next one that it was given.
        """
        number, _, began = self._slot.state()
        waiting = next((one for one in self.questions if one.number == number), None) if number else None
        head = number if waiting else -self.questions[0].number if self.questions else 0
        if self._head[0] != head:
            self._head = (head, now)
        return waiting, cpu_seconds(self.pid) - began if waiting else 0.0, now - self._head[1] if head else 0.0

    def suspect(self) -> None:
        """Its response takes long: if the worker crashes now, that may be the cause."""
        self._slot.suspect()

    def cpu_of_last(self) -> float:
        """The CPU seconds since it began its last question."""
        return cpu_seconds(self.pid) - self._slot.state()[2]

    def memory_bytes(self) -> int:
        """Its resident memory; 0 if the system does not say."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * 4096
        except (OSError, IndexError):
            return 0

    def close(self) -> None:
        """Kill it. Its owner decides about its questions."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._journal.release(self._place)

    def _write(self, data: bytes) -> None:
        self._out.append(memoryview(data))
        self.flush()

    def _send(self) -> None:
        try:
            while self._out:
                sent = self._socket.sendmsg(list(islice(self._out, PIECES)))
                while self._out and sent >= len(self._out[0]):
                    sent -= len(self._out.popleft())
                if sent:
                    self._out[0] = self._out[0][sent:]
        except BlockingIOError:
            if not self._is_writing:
                self._is_writing = True
                self._loop.add_writer(self._socket.fileno(), self._send)
            return
        except OSError:  # it has ended; `_receive` will see that
            self._out.clear()
        if self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(self._socket.fileno())

    def _receive(self) -> None:
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._owner.ended(self, self._end_cause())
            return
        self._received.feed(data)
        self._take_replies()

    def _end_cause(self) -> ChildFailure:
        self._process.kill()  # it may have closed the socket only
        code, peak = reap(self._process)
        return child_failure(code, peak, self._memory_at_start, self._limits.memory_bytes, self._limits.cpu_seconds)

    def _take_replies(self) -> None:
        """Handle whole replies, for BATCH_SECONDS at most; the rest in the next turn of the event loop."""
        until = time.monotonic() + BATCH_SECONDS
        try:
            while not self._is_closed and (frame := self._received.pop()) is not None:
                self._handle_frame(frame)
                if time.monotonic() > until:
                    self._loop.call_soon(self._take_replies)
                    return
        except (FrameError, *UNDECODABLE) as error:  # a harmful response may control its reader
            self._owner.ended(self, ChildFailure("page_crash", f"its reader wrote no reply: {error}"[:300]))

    def _handle_frame(self, frame: bytes) -> None:
        if not self.is_ready:
            self._memory_at_start = _PEAK.decode(frame)
            self.is_ready = True
            self._owner.became_ready(self)
            return
        reply = REPLIES.decode(frame)
        if not self.questions:
            raise FrameError("a reply that nobody waits for")
        if reply.number != self.questions[0].number:
            raise FrameError("a reply to another question")
        waiting = self.questions.popleft()
        self._bytes -= len(waiting.body)
        self._owner.replied(self, waiting, reply)
