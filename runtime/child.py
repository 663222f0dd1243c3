"""Child processes as their parent sees them: started with the interpreter, killed when they exceed a limit, judged by how they ended.

They are not forked: a fork of a process with threads, an event loop or Airflow's hooks is not safe.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Final

from runtime.child_process import RSS_UNIT
from runtime.command_line import code_command, import_path

TIMEOUT: Final = "page_timeout"
MEMORY: Final = "page_memory"
CRASH: Final = "page_crash"
MIB = 1024 * 1024
_MEMORY_SHARE = 0.6  # of the limit in use at a death: then memory was the cause

START_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import runtime.child_process as child; child.run(*sys.argv[2:])"


@dataclass(frozen=True, slots=True)
class ChildFailure:
    """Why a child gave no result: TIMEOUT, MEMORY or CRASH, and what happened in one line for people."""

    reason: str
    detail: str


def command(entry: str, *arguments: str) -> list[str]:
    """The command of a child that calls `entry` (`module.function`) with these texts, and finds the modules that this process finds."""
    return code_command(START_CODE, json.dumps(import_path()), entry, *arguments)


def reap(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Wait for a process that ends: its exit code (negative: the signal's number) and the most memory it had resident, in bytes."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except ChildProcessError:
        return process.returncode or 0, 0
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * RSS_UNIT


def child_failure(code: int, peak: int, memory_at_start: int, memory_limit: int, cpu_limit: float = 0.0) -> ChildFailure:
    """Why a child ended by itself with this exit code, from its peak of memory and its limits (bytes, seconds)."""
    if code == -signal.SIGPROF:
        return ChildFailure(TIMEOUT, f"more than {cpu_limit:g} seconds of CPU time")
    if peak - memory_at_start > _MEMORY_SHARE * memory_limit:
        return ChildFailure(MEMORY, memory_detail(memory_limit))
    return ChildFailure(CRASH, f"the process ended by signal {-code}" if code < 0 else f"the process exited with {code}")


def memory_detail(memory_limit: int) -> str:
    """The line for a limit of memory that was exceeded."""
    return f"more than {memory_limit // MIB} MiB"


def cpu_seconds(pid: int) -> float:
    """CPU time that a process of ours took so far, in seconds; 0 where it has ended or the system cannot tell (macOS)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the kernel's id of that process's CPU clock
    except OSError:
        return 0.0


def cpu_count() -> int:
    """The CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
