"""The parent's side of a child process: the command that starts it, and why it ended.

Children are started with a new interpreter: a fork is not safe in a process with threads, an event loop or Airflow's hooks. A few are
forked before there is any of these (`runtime.forked_child`).
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
from runtime.forked_child import ForkedChild

TIMEOUT: Final = "page_timeout"
MEMORY: Final = "page_memory"
CRASH: Final = "page_crash"
MIB = 1024 * 1024
ChildProcess = subprocess.Popen[bytes] | ForkedChild
# A child that ended with more than this share of its memory limit in use ended for lack of memory: an allocator fails below the limit, when
# the next large block does not fit.
_MEMORY_SHARE = 0.6

START_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import runtime.child_process as child; child.run(*sys.argv[2:])"


@dataclass(frozen=True, slots=True)
class ChildFailure:
    """Why a child gave no result: the reason (TIMEOUT, MEMORY or CRASH), and one line for people."""

    reason: str
    detail: str


def command(entry: str, *arguments: str) -> list[str]:
    """The command that starts a child, which calls `entry` (`module.function`) with the arguments. It imports what this process imports."""
    return code_command(START_CODE, json.dumps(import_path()), entry, *arguments)


def reap(process: ChildProcess) -> tuple[int, int]:
    """Wait for a process to end. Gives its exit code (negative: the number of a signal) and its peak of resident memory in bytes."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except ChildProcessError:
        return process.returncode or 0, 0
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * RSS_UNIT


def child_failure(code: int, peak: int, memory_at_start: int, memory_limit: int, cpu_limit: float = 0.0) -> ChildFailure:
    """Why a child ended that its parent did not kill: from its exit code, its peak of memory and its limits (bytes, seconds)."""
    if code == -signal.SIGPROF:
        return ChildFailure(TIMEOUT, f"more than {cpu_limit:g} seconds of CPU time")
    if peak - memory_at_start > _MEMORY_SHARE * memory_limit:
        return ChildFailure(MEMORY, memory_detail(memory_limit))
    return ChildFailure(CRASH, f"the process ended by signal {-code}" if code < 0 else f"the process exited with {code}")


def memory_detail(memory_limit: int) -> str:
    """The line for people about an exceeded memory limit."""
    return f"more than {memory_limit // MIB} MiB"


def cpu_seconds(pid: int) -> float:
    """The CPU time of a child process, in seconds; 0 if it has ended or the system does not know (macOS)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the kernel's id for the CPU clock of a process
    except OSError:
        return 0.0


def cpu_count() -> int:
    """The CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
