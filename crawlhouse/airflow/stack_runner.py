"""The parent process of Airflow's four components: it starts them, restarts those that crash, and ends all of them when it ends.

It runs as `python -m crawlhouse.airflow.stack_runner LOGS`. It inherits the stack's lock and holds it until it ends.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from runtime.command_line import module_command

COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": (),
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
FIRST_RESTART_SECONDS = 1.0  # doubled with each crash, up to
LAST_RESTART_SECONDS = 60.0
POLL_SECONDS = 0.2
MAX_LOG_BYTES = 20 * 1024 * 1024  # of each component, when it starts; the file before it is kept too


@dataclass
class _Component:
    name: str
    log: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    due: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        _rotate(self.log)
        command = module_command("airflow", self.name, *COMPONENTS[self.name])
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def watch(self) -> None:
        """Start the component if it is due. If it has ended, plan its restart."""
        if self.process is None and time.monotonic() >= self.due:
            self.start()
        elif self.process is not None and (code := self.process.poll()) is not None:
            delay = min(FIRST_RESTART_SECONDS * 2**self.restarts, LAST_RESTART_SECONDS)
            _say(f"{self.name} ended with {code}; it is restarted in {delay:.0f} s (see {self.log})")
            self.process, self.restarts, self.due = None, self.restarts + 1, time.monotonic() + delay


def run(logs: Path) -> None:
    """Keep the four components running until SIGTERM or SIGINT."""
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    components = [_Component(name, logs / f"{name}.log") for name in COMPONENTS]
    while not stopping:
        for component in components:
            component.watch()
        time.sleep(POLL_SECONDS)
    running = [component.process for component in components if component.process is not None]
    for process in running:
        process.terminate()
    for process in running:
        process.wait()


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _say(text: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}", flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
