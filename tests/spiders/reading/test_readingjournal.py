"""Which URLs a dead worker's journal blames: those that took long, and those that the worker itself was at."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spiders.reading.journal import ReadingJournal, read_left_journal
from tests import PROJECT

DIES = """
import os, sys
from pathlib import Path
from spiders.reading.journal import ReadingJournal
journal = ReadingJournal(Path(sys.argv[1]))
(_, quick), (_, slow), (_, done) = journal.take_slot(), journal.take_slot(), journal.take_slot()
quick.begin(1, 11)
slow.begin(2, 22)
slow.suspect()
done.begin(3, 33)
done.suspect()
done.end()
with journal.reading(44):
    os._exit(9)
"""


def test_a_page_that_was_read_for_a_moment_is_not_blamed(tmp_path: Path) -> None:
    path = tmp_path / "reading"
    root = str(PROJECT)
    assert subprocess.run([sys.executable, "-c", DIES, str(path)], env={**os.environ, "PYTHONPATH": root}, check=False).returncode == 9
    assert read_left_journal(path) == {22, 44}
    assert read_left_journal(path) is None


def test_a_journal_that_others_find_before_it_is_locked_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that start together look for crashed ones: between its making and its lock, a journal looks like a crashed worker's."""
    path, lock, left = tmp_path / "reading", fcntl.flock, list[set[int] | None]()

    def look_first(file: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        left.append(read_left_journal(path))
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", look_first)
    journal = ReadingJournal(path)
    assert left == [set()]
    os.close(journal.open_for_child())
    assert read_left_journal(path) is None  # it is locked
    journal.close()
    assert not path.exists()
