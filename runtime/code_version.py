"""Names the code that makes rows out of captures, so that rows of different code are never mixed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import cache_from_source
from pathlib import Path

SOURCE_SUFFIXES = frozenset({".py", ".json"})  # code, and the page type's model and the expectation suites
READERS = (
    "index/items",
    "index/rows",
    "urls/host_key",
    "warc/charsets",
    "warc/content_coding",
    "warc/http_block",
    "warc/member_decoders",
    "warc/page_bytes",
    "warc/reader",
    "warc/records",
    "warc/single_record",
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
    files, libraries = _inputs((root / "processing", root / "schemas", *readers))
    key = _key(files, libraries)
    digest = _remembered(key) or _remember(key, _digest(files, libraries))
    return f"{_installed('crawlhouse')}+{digest[:12]}"


def sources_digest(sources: tuple[Path, ...]) -> str:
    """SHA-256 in hex over the names and the code of source files, and over the versions of Python and of the deciding libraries.

    A source is a file, or a folder with all below it.
    """
    return _digest(*_inputs(sources))


def _inputs(sources: tuple[Path, ...]) -> tuple[dict[str, bytes], str]:
    """The content of the files by name, and the versions of the libraries."""
    files = {name: content for source in sources for name, content in _files(source)}
    return files, "".join(f"{library} {_installed(library)}\n" for library in DECIDING_LIBRARIES)


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """The names and the content of the files of a source, in order."""
    for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
        if path.suffix in SOURCE_SUFFIXES:
            yield path.relative_to(source.parent).as_posix(), path.read_bytes()


def _digest(files: Mapping[str, bytes], libraries: str) -> str:
    digest = hashlib.sha256(f"python {sys.version_info.major}.{sys.version_info.minor}\n".encode())
    for name, content in files.items():
        code = without_comments(content) if name.endswith(".py") else content
        digest.update(f"{name} {hashlib.sha256(code).hexdigest()}\n".encode())
    digest.update(libraries.encode())
    return digest.hexdigest()


def _remembered(key: str) -> str | None:
    """The digest that was made of just these bytes before: to find the comments takes most of the time."""
    with contextlib.suppress(OSError, ValueError):
        known, _, digest = _memory().read_text(encoding="ascii").partition(" ")
        if known == key and re.fullmatch("[0-9a-f]{64}", digest):
            return digest
    return None


def _remember(key: str, digest: str) -> str:
    """Keep a digest where Python keeps compiled modules, if it does. Gives the digest."""
    if not sys.dont_write_bytecode:
        path = _memory()
        new = path.with_name(f"{path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            new.write_text(f"{key} {digest}", encoding="ascii")
            new.replace(path)
    return digest


def _memory() -> Path:
    return Path(cache_from_source(__file__)).with_suffix(".digest")


def _key(files: Mapping[str, bytes], libraries: str) -> str:
    """A digest of all that a digest of the sources depends on, comments too, and this module's own code."""
    key = hashlib.sha256(Path(__file__).read_bytes())
    for name, content in files.items():
        key.update(f"{name} {len(content)}\n".encode())
        key.update(content)
    key.update(f"{sys.version_info}\n{libraries}".encode())
    return key.hexdigest()


def without_comments(source: bytes) -> bytes:
    """A Python source without its comments, blank lines and blanks at the ends of lines; strings, docstrings too, stay whole."""
    return STRING_OR_END.sub(lambda found: found["string"] or b"\n", source + b"\n").strip(b"\n") + b"\n"


def _installed(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "0"
