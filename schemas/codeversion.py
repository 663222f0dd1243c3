"""Which code made a result: a name that changes when, and only when, something that decides the results of processing changes."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SOURCE_SUFFIXES = frozenset({".py", ".json"})  # code, and the expectation suites
DECIDING_LIBRARIES = ("dateparser", "htmldate", "pycld2", "rensa", "resiliparse", "selectolax", "trafilatura")


@cache
def code_version() -> str:
    """The version of the code that processes captures, for example `0.1.0+3f2a9c51d07e`.

    The package's version, then 12 hex digits of SHA-256 over the sources of `processing/` and `schemas/` and the versions of the
    libraries that decide what an article says. The same installation always gives the same name; a commit that touches neither
    gives no new one.
    """
    rooms = Path(__file__).resolve().parent.parent
    return f"{_installed('crawlhouse')}+{sources_digest((rooms / 'processing', rooms / 'schemas'))[:12]}"


def sources_digest(folders: tuple[Path, ...]) -> str:
    """SHA-256 in hex over the names and contents of the source files in these folders, and over the deciding libraries' versions."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in SOURCE_SUFFIXES:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(folder.parent).as_posix()} {content}\n".encode())
    for library in DECIDING_LIBRARIES:
        digest.update(f"{library} {_installed(library)}\n".encode())
    return digest.hexdigest()


def _installed(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "0"
