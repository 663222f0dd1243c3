"""Makes temporary folders. Those of killed processes are removed by the next process that makes one."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

PREFIX = "crawlhouse-"
LOCK_FILE = ".in-use"  # locked while the process lives that made the folder


@contextmanager
def scratch_folder(inside: Path | None = None) -> Iterator[Path]:
    """A new folder for this user alone, in the system's temporary folder or `inside`. It is removed at the end of the block.

    The first call of a process also removes the folders of killed processes there.
    """
    parent = Path(tempfile.gettempdir() if inside is None else inside)
    _remove_stale_once(parent)
    folder, lock = _create(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def lasting_folder() -> Path:
    """A folder as of `scratch_folder` that lasts as long as this process. Processes that are forked from it leave it alone."""
    parent = Path(tempfile.gettempdir())
    _remove_stale_once(parent)
    folder, _ = _create(parent)  # the lock stays open
    atexit.register(_remove_as, os.getpid(), folder)
    return folder


def _remove_as(owner: int, folder: Path) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def remove_stale(parent: Path) -> int:
    """Remove the scratch folders of crashed processes. Gives their number. Nothing else is removed, whatever its name is."""
    removed = 0
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if (
                entry.name.startswith(PREFIX)
                and entry.is_dir(follow_symlinks=False)
                and entry.stat(follow_symlinks=False).st_uid == os.getuid()
            ):
                removed += _remove_if_dead(Path(entry.path))
    return removed


@cache
def _remove_stale_once(parent: Path) -> None:
    remove_stale(parent)


def _create(parent: Path) -> tuple[Path, int]:
    """A new folder and the handle of its lock. If another process removes the folder before it is locked, another one is made."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with suppress(OSError):
            lock = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            if _try_lock(lock) and (folder / LOCK_FILE).exists():
                return folder, lock
            os.close(lock)


def _remove_if_dead(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # not a scratch folder, or one that is just being made
        return False
    try:
        if not _try_lock(lock):
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True
    finally:
        os.close(lock)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
