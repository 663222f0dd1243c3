"""A small published lake, and the installed command run as a subprocess."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from crawlhouse.command import app
from crawlhouse.output.failures import exit_code_of
from tests.closedruns import closed_runs_hold
from tests.crawlhouse.smalllake import publish_small_lake

__all__ = ["closed_runs_hold"]

COMMAND = Path(sys.executable).with_name("crawlhouse")
TIMEOUT_SECONDS = 120

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it wrote."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.raw.decode()


Run = Callable[..., Ended]


def run_command(*arguments: str, env: Environment, cwd: Path, stdin: str = "", program: str = str(COMMAND)) -> Ended:
    """The command as a user would run it, without a terminal."""
    command = [program, *arguments]
    done = subprocess.run(command, env=dict(env), cwd=cwd, input=stdin.encode(), capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    return Ended(done.returncode, done.stdout, done.stderr.decode())


def clean_environment(**ours: str) -> dict[str, str]:
    """The environment without settings of crawlhouse but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRAWLHOUSE_", "COLUMNS"))}
    kept["PATH"] = f"{COMMAND.parent}:{kept['PATH']}"
    return kept | {f"CRAWLHOUSE_{name.upper()}": value for name, value in ours.items()}


@pytest.fixture(scope="session")
def lake_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a few published articles; tests only read it."""
    home = tmp_path_factory.mktemp("lake") / "home"
    publish_small_lake(home)
    return home


@pytest.fixture
def crawlhouse(lake_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs the command on the small lake, in a folder of the test's own, inside this process: imports are paid once."""

    def run(*arguments: str, stdin: str = "", **settings: str) -> Ended:
        environment = clean_environment(**({"home": str(lake_home)} | settings))
        for name in [name for name in os.environ if name not in environment]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "stdin", StringIO(stdin))
        code = exit_code_of(lambda: app(arguments))
        gc.unfreeze()  # a command freezes what it has imported; Hypothesis then does not find who refers to it
        written = capfdbinary.readouterr()
        return Ended(code, written.out, written.err.decode())

    return run


@pytest.fixture
def nowhere(crawlhouse: Run) -> Run:
    """Runs the command where no project is and no setting is set."""

    def run(*arguments: str, **settings: str) -> Ended:
        return crawlhouse(*arguments, **({"home": ""} | settings))

    return run
