"""A lock so that one command at a time works on a crawl. The lock ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.config.settings import Settings, make_home
from schemas.errors import ConflictError
from storage.database.private_files import make_private_file


@contextmanager
def hold_command_lock(settings: Settings, what: str) -> Iterator[None]:
    """Hold the lock with the name `what`. Raises ConflictError when another process of this home holds it."""
    make_home(settings)
    folder = settings.home / "locks"
    folder.mkdir(exist_ok=True)
    make_private_file(folder / f"{what}.lock")
    handle = os.open(folder / f"{what}.lock", os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise ConflictError(f"Another command is running ({what} in {settings.home}). Wait for its end, or stop it.") from error
    try:
        yield
    finally:
        os.close(handle)
