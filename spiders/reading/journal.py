"""The journal of what is being read: a small file in the spool, mapped into the memory of the worker and its readers.

It tells a worker which question a reader is at, and, after the crash of a worker, which URLs it was reading. It is written without system
calls, at the beginning and the end of each reading, and it stays after the crash of every process that writes it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SLOTS = 64
READER_SLOTS = 16  # the first ones are the readers'; the others are the worker's own
# The question's number (0: none), the URL's id (0: none), nanoseconds of CPU time at its begin, and 1 if the URL is suspect:
# if the worker crashes now, it may be the cause.
_SLOT = struct.Struct("<QqQQ")
_NUMBER = struct.Struct("<Q")
_SUSPECT_OFFSET = 24
SIZE = SLOTS * _SLOT.size


class Slot:
    """One slot of the journal, for the process that writes it."""

    def __init__(self, memory: mmap.mmap, place: int) -> None:
        self._memory = memory
        self._offset = place * _SLOT.size

    def begin(self, number: int, url_id: int, is_suspect: bool = False) -> None:
        """A question is begun. `is_suspect`: if the worker crashes now, the URL may be the cause."""
        _SLOT.pack_into(self._memory, self._offset, number, url_id, time.process_time_ns(), int(is_suspect))

    def suspect(self) -> None:
        """It takes long: if the worker crashes now, the URL may be the cause."""
        _NUMBER.pack_into(self._memory, self._offset + _SUSPECT_OFFSET, 1)

    def end(self) -> None:
        """The question is finished."""
        _NUMBER.pack_into(self._memory, self._offset, 0)

    def state(self) -> tuple[int, int, float]:
        """The number of the question that is being read (0: none), its URL's id, and the process's CPU seconds at its begin."""
        number, url_id, began, _ = _SLOT.unpack_from(self._memory, self._offset)
        return number, url_id, began / 1e9


class ReadingJournal:
    """A worker's own journal. It is locked while the worker lives. `close` removes it; if the worker crashes, it stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _make_locked(path)
        os.ftruncate(self._file, SIZE)
        self._memory = mmap.mmap(self._file, SIZE)
        self._free_readers = set(range(READER_SLOTS))
        self._free = set(range(READER_SLOTS, SLOTS))

    def open_for_child(self) -> int:
        """A descriptor for a child to map. It is a new one, so that a child that outlives the worker does not hold its lock."""
        return os.open(self._path, os.O_RDWR | os.O_CLOEXEC)

    def take_slot(self) -> tuple[int, Slot]:
        """Take a free slot for a reader; returns its number too."""
        place = self._free_readers.pop()
        slot = Slot(self._memory, place)
        slot.end()
        return place, slot

    def release(self, place: int) -> None:
        """A reader's slot is free again."""
        Slot(self._memory, place).end()
        self._free_readers.add(place)

    @contextmanager
    def reading(self, url_id: int) -> Iterator[None]:
        """The worker itself works on a response, such as in a callback of a user's spider. If no slot is free, this is not noted."""
        place = self._free.pop() if self._free else None
        if place is None:
            yield
            return
        slot = Slot(self._memory, place)
        slot.begin(1, url_id, is_suspect=True)  # it blocks the event loop, so nobody could note later that it takes long
        try:
            yield
        finally:
            slot.end()
            self._free.add(place)

    def close(self) -> None:
        """The worker ends normally: nothing is being read."""
        _remove(self._path, self._file)
        self._memory.close()
        os.close(self._file)


def _make_locked(path: Path) -> int:
    """Make the file anew, locked. If another worker that starts now found it before it was locked, it was removed, and is made again."""
    while True:
        path.unlink(missing_ok=True)  # of a previous attempt; if that still runs, it keeps its own open file
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(file)):
                return file
        os.close(file)


def _remove(path: Path, file: int) -> None:
    """Remove an open file, unless the path belongs to a later attempt's by now."""
    with suppress(FileNotFoundError):
        if os.path.samestat(path.stat(), os.fstat(file)):
            path.unlink()


def reader_slot(file: int, place: int) -> Slot:
    """A reader's slot, in the reader's process."""
    memory = mmap.mmap(file, SIZE)
    os.close(file)
    return Slot(memory, place)


def read_left_journal(path: Path) -> set[int] | None:
    """Read and remove a crashed worker's journal: the ids of the URLs that may have caused the crash.

    These are the URLs that took long to read when it crashed. None if the worker lives, or there is no journal.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        data = os.read(file, SIZE)
        _remove(path, file)
    except BlockingIOError:
        return None
    finally:
        os.close(file)
    slots = [_SLOT.unpack_from(data, offset) for offset in range(0, len(data) - _SLOT.size + 1, _SLOT.size)]
    return {url_id for number, url_id, _, is_suspect in slots if number and url_id and is_suspect}
