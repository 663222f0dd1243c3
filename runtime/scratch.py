"""Folders for temporary files that no death leaves behind for long: the next process that needs one removes those of dead processes."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

PREFIX = "crawlhouse-"
LOCK_FILE = ".in-use"  # locked as long as the process lives that made the folder


@contextmanager
def scratch_folder(inside: Path | None = None) -> Iterator[Path]:
    """A new folder for this user alone, below the system's temporary folder or `inside`; removed at the end of the block.

    Those that killed processes left there are removed too, once a process.
    """
    parent = Path(tempfile.gettempdir() if inside is None else inside)
    _remove_stale_once(parent)
    folder, lock = _create(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_stale(parent: Path) -> int:
    """Remove the scratch folders of processes that are dead; how many. Nothing else is touched, whatever its name."""
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
    """A folder and its lock's handle. Again, should another process remove it before it is locked."""
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
    except OSError:  # no folder of ours, or one that is being made
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
