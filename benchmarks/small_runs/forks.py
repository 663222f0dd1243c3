"""A call in a process of its own, as a task of an Airflow worker, and the CPU time of processes."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable


def cpu(who: int | None = None) -> float:
    """CPU seconds of this process and its ended children so far."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN) if who is None else (who,)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, whose))


def in_a_fork(call: Callable[[], str]) -> str:
    """The text that a call gives in a forked process. Ends the benchmark if the call fails."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(sink, call().encode())
            code = 0
        finally:
            os._exit(code)
    os.close(sink)
    with os.fdopen(source) as result:
        text = result.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit("A task failed.")
    return text
