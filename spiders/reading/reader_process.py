"""A response reader's own process: it reads bodies from the web, and replies what they contain.

In: first a pickle of the ReadingRules, then questions. Out: once, when it is ready, the most memory in bytes so far, then replies in the
order of the questions, each at once. CPU time and memory are limited for each response. The worker's reading journal says which response is
being read.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import socket
from collections import OrderedDict

from runtime.child_process import limit_cpu, limit_memory, peak_memory
from runtime.frames import FrameBuffer, header
from spiders.discover.body import read_body
from spiders.discover.link_memory import LinkMemory
from spiders.download.decode_body import decode_body
from spiders.messages.rules import ReadingRules
from spiders.messages.wire import ENCODER, Question, ReaderReply, ReaderTask, RobotsReply, split_question
from spiders.permission.robots_file import RobotsFile
from spiders.reading.journal import Slot, reader_slot

RECEIVE_BYTES = 256 * 1024
CACHED_ROBOTS_FILES = 4
GC_THRESHOLDS = (20_000, 20, 50)  # as in the worker


def serve_questions(memory_bytes: str, cpu_seconds: str, journal: str, place: str) -> None:
    """Serve until the input ends. Limits are per response; `journal` is a descriptor, `place` the reader's own in it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as SIGINT, it is for the worker, which ends its readers itself
    connection = socket.socket(fileno=os.dup(0))
    os.dup2(2, 1)
    slot = reader_slot(int(journal), int(place))
    received = FrameBuffer()
    frame = _next(connection, received)
    if frame is None:
        return
    reader = _Reader(pickle.loads(frame))  # noqa: S301 the parent process wrote it
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    limit_memory(int(memory_bytes))
    connection.sendall(_framed(peak_memory()))
    _serve(connection, received, reader, slot, float(cpu_seconds))


def _serve(connection: socket.socket, received: FrameBuffer, reader: _Reader, slot: Slot, cpu_seconds: float) -> None:
    while (frame := _next(connection, received)) is not None:
        number, question, body = split_question(frame)
        del frame
        slot.begin(number, question.url_id)
        limit_cpu(cpu_seconds)
        reply = reader.reply(number, question, body)
        del body
        slot.end()
        connection.sendall(_framed(reply))


class _Reader:
    """What a reader remembers between questions."""

    def __init__(self, rules: ReadingRules) -> None:
        self._rules = rules
        self._memory = LinkMemory()
        self._robots: OrderedDict[bytes, RobotsFile] = OrderedDict()

    def reply(self, number: int, question: Question, body: bytes) -> ReaderReply:
        try:
            if question.task is ReaderTask.READ:
                for host in question.hosts:
                    if self._rules.scope.add_host(host):
                        self._memory = LinkMemory()  # it remembers links to that host as out of scope
                return ReaderReply(number, reading=read_body(question, body, self._rules, self._memory))
            if question.task is ReaderTask.DECODE:
                return ReaderReply(number, body=decode_body(body, question.coding, self._rules.max_bytes))
            return ReaderReply(number, robots=self._check_robots(body, question.url))
        except MemoryError:
            gc.collect()
            return ReaderReply(number, "page_memory")
        except Exception as error:  # a response that breaks a reader costs its URL, not the run
            return ReaderReply(number, "page_crash", f"{type(error).__name__}: {error}"[:300])

    def _check_robots(self, body: bytes, url: str) -> RobotsReply:
        rules = self._robots.get(body) or RobotsFile(body, self._rules.product)
        self._robots[body] = rules
        self._robots.move_to_end(body)
        if len(self._robots) > CACHED_ROBOTS_FILES:
            self._robots.popitem(last=False)
        if url:
            return RobotsReply(rules.can_fetch(url))
        return RobotsReply(True, rules.crawl_delay(), list(rules.sitemaps()), rules.ai_rules())


def _next(connection: socket.socket, received: FrameBuffer) -> bytes | None:
    """The next frame; waits for it. None at the end of the input."""
    while (frame := received.pop()) is None:
        data = connection.recv(RECEIVE_BYTES)
        if not data:
            return None
        received.feed(data)
    return frame


def _framed(value: object) -> bytes:
    packed = ENCODER.encode(value)
    return header(len(packed)) + packed
