"""Which URLs a dead worker's journal blames: those that took long, and those that the worker itself was at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from spiders.reading.journal import read_left_journal
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
