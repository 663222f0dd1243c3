"""The memory of a process does not include that of the process that started it."""

from __future__ import annotations

import subprocess
import sys

LARGE = 200_000_000
STARTER = f"""
import subprocess, sys
filled = b"x" * {LARGE}
print(subprocess.check_output([sys.executable, "-c", "from runtime import child_process as c; print(c.own_peak_memory())"]).decode())
"""


def test_a_large_parent_does_not_count() -> None:
    assert 1_000_000 < int(subprocess.check_output([sys.executable, "-c", STARTER])) < LARGE
