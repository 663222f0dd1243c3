"""Database files that only their user can open, whatever the umask is. In a folder that a group shares, the group can open them too."""

from __future__ import annotations

import os
import stat
from pathlib import Path

OWNER_ONLY = 0o600
GROUP_TOO = 0o660
OTHERS = 0o007
GROUP_AND_OTHERS = 0o077


def make_private_file(path: Path) -> None:
    """Make an empty file if there is none, which only its user can open. Raises OSError."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, OWNER_ONLY)
    except FileExistsError:
        return
    try:
        os.fchmod(handle, GROUP_TOO if is_shared(path.parent) else OWNER_ONLY)
    finally:
        os.close(handle)


def is_shared(folder: Path) -> bool:
    """Whether a group shares a folder: it has the setgid bit, by which new files get the folder's group."""
    return bool(folder.stat().st_mode & stat.S_ISGID)


def restrict_mode(path: Path, shared: bool) -> bool:
    """Remove the rights of others from a file or folder, and the group's unless it is `shared`; whether there were any. Raises OSError."""
    mode = stat.S_IMODE(path.stat().st_mode)
    private = mode & ~(OTHERS if shared else GROUP_AND_OTHERS)
    if private == mode:
        return False
    path.chmod(private)
    return True
