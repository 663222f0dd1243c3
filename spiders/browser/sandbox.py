"""Checks that Chromium can run in its own sandbox, unless the user has switched it off.

The sandbox needs a user who is not root. On Linux it also needs user namespaces, or Chromium's helper `chrome-sandbox`, setuid root.
Source: docs/linux/sandboxing.md and docs/linux/suid_sandbox_development.md of Chromium.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from schemas.errors import ConfigError

EXECUTABLE = "CRAWLHOUSE_BROWSER"
SANDBOX = "CRAWLHOUSE_BROWSER_SANDBOX"
INSTALLED = ("chromium", "chromium-browser", "google-chrome")
HELPER_FOLDERS = (Path("/usr/lib/chromium"), Path("/usr/lib/chromium-browser"), Path("/opt/google/chrome"))
HELPERS = ("chrome-sandbox", "chrome_sandbox")
PROBE_SECONDS = 30.0  # on a busy machine; the probe itself takes some milliseconds
# a user namespace, then a process and a network namespace in it, as Chromium makes them; AppArmor or seccomp may forbid it
PROBE = """
import ctypes, sys
unshare = ctypes.CDLL(None).unshare
sys.exit(unshare(0x10000000) or unshare(0x20000000 | 0x40000000))
"""


def executable() -> str | None:
    """The Chromium to start: the one in the environment variable, otherwise one on the PATH. None means Playwright's own."""
    return os.environ.get(EXECUTABLE) or next((path for name in INSTALLED if (path := shutil.which(name))), None)


def is_sandboxed() -> bool:
    """Whether Chromium runs in its sandbox: yes, unless the environment says `off`. Raises ConfigError for another value."""
    word = os.environ.get(SANDBOX, "on").strip().lower()
    if word not in {"", "on", "off"}:
        raise ConfigError(f"{SANDBOX} is {word!r}, but must be on or off. Correct it in the environment.")
    return word != "off"


def check_sandbox(chromium: str | None) -> None:
    """Raises ConfigError if Chromium should run in its sandbox but cannot."""
    if not is_sandboxed() or not sys.platform.startswith("linux"):
        return
    if os.geteuid() == 0:
        raise ConfigError(
            "Chromium cannot run in its sandbox as root. Run the workers as another user, "
            f"or set {SANDBOX}=off if you trust the pages, or if the worker has a container of its own."
        )
    if not _has_helper(chromium) and not _has_namespaces():
        raise ConfigError(
            "Chromium cannot run in its sandbox: this system allows no user namespaces, and there is no chrome-sandbox. Allow them "
            f"(in Docker by a seccomp profile for Chromium), install chromium-sandbox, or set {SANDBOX}=off if you trust the pages."
        )


def _has_helper(chromium: str | None) -> bool:
    folders = (*HELPER_FOLDERS, *([Path(chromium).resolve().parent] if chromium else []))
    return any(_is_setuid_root(folder / name) for folder in folders for name in HELPERS)


def _is_setuid_root(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return found.st_uid == 0 and bool(found.st_mode & stat.S_ISUID)


def _has_namespaces() -> bool:
    try:
        return subprocess.run([sys.executable, "-I", "-S", "-c", PROBE], check=False, timeout=PROBE_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return True  # Chromium itself will report it
