"""A segment that was cut off anywhere is repaired, and its rows are made from the file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from storage.warc.repair import repair
from storage.warc.writer import SegmentWriter, refers_to
from tests.storage.captures import ODD, PLAIN, numbered
from tests.storage.warc.test_warcwriter import KEY, segment, warcio_check


def test_a_file_cut_at_every_byte_of_its_last_capture(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", PLAIN, numbered(1))
    whole = closed.path.read_bytes()
    first = closed.rows[0]
    end = first.warc_record_offset + first.warc_record_length
    torn = tmp_path / "torn.warc.gz"
    for size in range(end, len(whole)):
        torn.write_bytes(whole[:size])
        repaired = repair(torn)
        assert (repaired.rows, repaired.size, torn.read_bytes()) == ((first,), end, whole[:end]), size
    warcio_check(torn)


def test_a_file_cut_before_its_first_capture_is_whole(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", PLAIN)
    whole = closed.path.read_bytes()
    for size in range(closed.rows[0].warc_record_offset):
        closed.path.write_bytes(whole[:size])
        repaired = repair(closed.path)
        assert repaired.rows == ()
        assert repaired.size == closed.path.stat().st_size <= size


@pytest.mark.parametrize("name", [name for name in ODD if name not in {"obs-fold", "newline in a value"}])
def test_rows_are_rebuilt_equal(tmp_path: Path, name: str) -> None:
    closed = segment(tmp_path / "a.warc.gz", ODD[name])
    assert repair(closed.path) == closed


def test_the_row_of_a_revisit_is_rebuilt_equal(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "a.warc.gz", KEY, "news", "news-1", {})
    origin = writer.write(PLAIN)
    writer.write(replace(PLAIN, fetched_at=numbered(1).fetched_at), refers_to(origin))
    writer.write(replace(PLAIN, status=304, reason="", body=b"", fetched_at=numbered(2).fetched_at), refers_to(origin))
    closed = writer.close()
    assert repair(closed.path) == closed


def test_repairing_a_whole_file_changes_nothing(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", *(numbered(n) for n in range(30)))
    before = closed.path.read_bytes()
    assert repair(closed.path) == closed
    assert repair(closed.path) == closed
    assert closed.path.read_bytes() == before


def test_of_a_file_damaged_in_the_middle_the_part_before_stays(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", *(numbered(n) for n in range(3)))
    data = bytearray(closed.path.read_bytes())
    data[closed.rows[1].warc_record_offset + 40] ^= 0xFF
    closed.path.write_bytes(data)
    repaired = repair(closed.path)
    assert repaired.rows == closed.rows[:1]
    warcio_check(closed.path)


def test_a_killed_writer_loses_nothing_that_write_returned(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from storage.warc.writer import SegmentWriter\n"
        "from tests.storage.captures import numbered\n"
        "writer = SegmentWriter(Path(sys.argv[1]), 'k', 'c', 'r', {})\n"
        "for n in range(10**9): writer.write(numbered(n)); print(n, flush=True)"
    )
    path = tmp_path / "a.warc.gz"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(200)]
        os.kill(process.pid, signal.SIGKILL)
        said += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    repaired = repair(path)
    urls = [row.url for row in repaired.rows]
    assert urls[: len(said)] == [numbered(n).url for n in said]
    assert len(urls) <= len(said) + 1
    warcio_check(path)
