"""Names the code that makes rows out of captures, so that rows of different code are never mixed."""

from __future__ import annotations

import hashlib
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SOURCE_SUFFIXES = frozenset({".py", ".json"})  # code, and the page type's model and the expectation suites
READERS = (
    "index/items",
    "index/rows",
    "urls/host_key",
    "warc/content_coding",
    "warc/member_decoders",
    "warc/page_bytes",
    "warc/reader",
    "warc/records",
    "warc/stream",
    "warc/window",
)
DECIDING_LIBRARIES = (
    "babel",
    "backports.zstd",
    "brotli",
    "courlan",  # this, dateparser, htmldate and justext are not imported by processing: trafilatura uses them
    "dateparser",
    "htmldate",
    "idna",
    "isal",
    "itemadapter",
    "justext",
    "lxml",
    "msgspec",
    "numpy",
    "price-parser",
    "pycld2",
    "pypdfium2",
    "rensa",
    "resiliparse",
    "selectolax",
    "trafilatura",
)
# It begins with a set of characters, and steps over plain ones together: so it takes a third of the time
STRING_OR_END = re.compile(
    rb"""(?=["'\# \t\n])(?:(?P<string>
        \"{3}[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*\"{3} | '{3}[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'{3}
        | "[^"\\\n]*(?:\\.[^"\\\n]*)*" | '[^'\\\n]*(?:\\.[^'\\\n]*)*' )
    | (?<![ \t])(?:[ \t]*(?:\#[^\n]*)?\n)+)""",
    re.VERBOSE | re.DOTALL,
)


@cache
def code_version() -> str:
    """The version of the code that processes captures, for example `0.1.0+3f2a9c51d07e`.

    The package's version, then 12 hex digits of SHA-256 over the code of `processing/`, `schemas/` and the modules of `storage/` that read
    captures, over the JSON files next to it, and over the versions of Python (3.11) and of the libraries that decide what a row says. The
    same installation always gives the same name. Comments and blank lines do not count; any other change of these sources gives a new name,
    whether it changes a row or not. A crawl's own settings, its site rules among them, are not in it: `config_hash` is their name.
    """
    root = Path(__file__).resolve().parent.parent
    readers = (root / "storage" / f"{name}.py" for name in READERS)
    return f"{_installed('crawlhouse')}+{sources_digest((root / 'processing', root / 'schemas', *readers))[:12]}"


def sources_digest(sources: tuple[Path, ...]) -> str:
    """SHA-256 in hex over the names and the code of source files, and over the versions of Python and of the deciding libraries.

    A source is a file, or a folder with all below it.
    """
    digest = hashlib.sha256(f"python {sys.version_info.major}.{sys.version_info.minor}\n".encode())
    for source in sources:
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.suffix in SOURCE_SUFFIXES:
                content = without_comments(path.read_bytes()) if path.suffix == ".py" else path.read_bytes()
                digest.update(f"{path.relative_to(source.parent).as_posix()} {hashlib.sha256(content).hexdigest()}\n".encode())
    for library in DECIDING_LIBRARIES:
        digest.update(f"{library} {_installed(library)}\n".encode())
    return digest.hexdigest()


def without_comments(source: bytes) -> bytes:
    """A Python source without its comments, blank lines and blanks at the ends of lines; strings, docstrings too, stay whole."""
    return STRING_OR_END.sub(lambda found: found["string"] or b"\n", source + b"\n").strip(b"\n") + b"\n"


def _installed(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "0"
