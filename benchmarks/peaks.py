"""The peak resident memory of a command's processes, by role. It is VmHWM from /proc, which excludes the memory of the starting process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.02
ROLES = {
    "processing.expectations.suite_process": "gate process",
    "processing.workers.child": "page worker",
    "spiders.reading.reader_process": "answer reader",
    "spiders.worker": "fetch worker",
}
MAIN = "itself"
# It runs `python -m MODULE ARGUMENTS` and writes its own peak at the very end: samples from outside could miss it.
_PEAK_REPORTER = """
import atexit, re, runpy, sys
from pathlib import Path
def write_peak(path=sys.argv[1]):
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    Path(path).write_text(peak)
atexit.register(write_peak)
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Measured:
    """Peaks in MB (10^6 bytes) by role, CPU seconds and wall seconds of a command with all its children."""

    peaks: dict[str, float]
    cpu: float
    wall: float


def measure(module: str, *arguments: str, environment: Mapping[str, str]) -> Measured:
    """Run `python -m module arguments` to its end. Its output is printed only if it fails, which ends the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        peak_file, log_file = Path(folder) / "peak", Path(folder) / "log"
        before = time.perf_counter()
        with log_file.open("wb") as log:
            command = [sys.executable, "-c", _PEAK_REPORTER, str(peak_file), module, *arguments]
            process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
            peaks: dict[str, int] = {}
            ended = threading.Event()
            sampler = threading.Thread(target=_sample, args=(process.pid, peaks, ended))
            sampler.start()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            ended.set()
            sampler.join()
        if process.returncode:
            raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{log_file.read_text()[-3000:]}")
        peaks[MAIN] = max(int(peak_file.read_text()), peaks.get(MAIN, 0))
    megabytes = {role: kib * 1024 / 1e6 for role, kib in peaks.items()}
    return Measured(megabytes, usage.ru_utime + usage.ru_stime, time.perf_counter() - before)


def _sample(root: int, peaks: dict[str, int], ended: threading.Event) -> None:
    while not ended.wait(SAMPLE_SECONDS):
        for pid in _tree(root):
            role = MAIN if pid == root else _role(pid)
            if role is not None:
                peaks[role] = max(_peak(pid), peaks.get(role, 0))


def _tree(root: int) -> Iterator[int]:
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has just ended
            continue


def _role(pid: int) -> str | None:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return None
    return next((role for mark, role in ROLES.items() if mark in command), None)


def _peak(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
