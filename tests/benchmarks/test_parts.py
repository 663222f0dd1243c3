"""The benchmarks that `make bench` offers are those that there are."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from benchmarks.__main__ import PARTS
from tests import PROJECT


def test_the_makefile_names_every_part() -> None:
    found = re.search(r"PART=([a-z_|]+)", (PROJECT / "Makefile").read_text(encoding="utf-8"))
    assert found is not None
    assert tuple(found[1].split("|")) == PARTS


@pytest.mark.parametrize("part", PARTS)
def test_every_part_says_what_it_measures(part: str) -> None:
    asked = subprocess.run([sys.executable, "-m", "benchmarks", part, "--help"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.startswith("usage:")


def test_a_part_that_is_none_is_refused_with_the_list() -> None:
    asked = subprocess.run([sys.executable, "-m", "benchmarks", "nothing"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert all(part in asked.stderr for part in PARTS)
