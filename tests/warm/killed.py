"""Processes that die at a failpoint, as by `kill -9`."""

from __future__ import annotations

import os
import subprocess
import sys

from schemas.config.settings import Settings
from tests import PROJECT
from tests.warm.popen import SCRIPT, WARM_CODE


def environment_of(settings: Settings, failpoint: str = "") -> dict[str, str]:
    """The environment of a process that works on the home of these settings, and is to die at a failpoint."""
    given = {
        "HOME": settings.home, "CRAWLS": settings.crawls, "DATASETS": settings.datasets, "STORE": settings.store,
        "DATABASE": settings.database, "S3_ENDPOINT": settings.s3_endpoint, "FAILPOINT": failpoint,
    }  # fmt: skip
    return os.environ | {f"CRAWLHOUSE_{name}": str(value) for name, value in given.items() if value}


def code_killed_at(failpoint: str, settings: Settings, code: str, *arguments: str) -> int:
    """The exit status of Python code that is to die at a failpoint."""
    command = [sys.executable, "-c", WARM_CODE + code, *arguments]
    return subprocess.run(command, env=environment_of(settings, failpoint), cwd=PROJECT, check=False).returncode


def command_killed_at(failpoint: str, settings: Settings, *arguments: str) -> int:
    """The exit status of a `crawlhouse` command that is to die at a failpoint."""
    output, environment = subprocess.DEVNULL, environment_of(settings, failpoint)
    return subprocess.run([SCRIPT, *arguments], env=environment, cwd=PROJECT, check=False, stdout=output).returncode
