"""Compare golden pages with the result of their extraction under the crawl's rules, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path

from pydantic import ValidationError

from processing.extract.limited_pages import StoredPage, read_limited
from processing.extract.page_tasks import ReadPage
from schemas.article import plain_text
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.golden_page import EXPECTED_FILE, PAGE_FILE, Expected
from schemas.errors import ConfigError
from schemas.outcomes import Rejected
from schemas.page import WarcPointer
from storage.warc.reader import Record

Blocks = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GoldenPage:
    """A page as bytes and its expected article; `name` is the name of its folder."""

    name: str
    body: bytes
    expected: Expected


@dataclass(frozen=True, slots=True)
class Difference:
    """A field, such as `title` or `blocks[3]`, with another value than expected."""

    field: str
    expected: object
    found: object


def read_golden(folder: Path) -> list[GoldenPage]:
    """The golden pages in a folder by name; none where it is missing. Raises ConfigError."""
    return [_read_case(case) for case in sorted(folder.iterdir()) if case.is_dir()] if folder.is_dir() else []


def all_differences(pages: Sequence[GoldenPage], crawl: Crawl) -> Iterator[tuple[GoldenPage, list[Difference]]]:
    """Each page with its differences. Pages are read in workers with limits, with the crawl's rules, without site memory."""
    stored = (stored_page(page, crawl) for page in pages)
    for page, (_, found) in zip(pages, read_limited(stored) if pages else (), strict=True):
        if found is not None:
            yield page, differences(page, found)


def stored_page(page: GoldenPage, crawl: Crawl) -> StoredPage:
    """The page as a record that the crawl has just fetched: it is read like any other."""
    return StoredPage(_record(page), crawl)


def differences(page: GoldenPage, found: ReadPage | Rejected) -> list[Difference]:
    """The differences between the expected article and the one that was read."""
    expected = page.expected
    if isinstance(found, Rejected):
        return [] if found.reason == expected.reason else [Difference("reason", expected.reason, f"{found.reason} {found.detail}".strip())]
    values = [(name, getattr(expected, name), _value(found, name)) for name in expected.compared() if name != "blocks"]
    differing = [Difference(*value) for value in values if value[1] != value[2]]
    if "blocks" in expected.compared():
        differing += _block_differences(expected.blocks, tuple((block.kind, block.text) for block in found.article.blocks))
    return differing


def _read_case(folder: Path) -> GoldenPage:
    path = folder / EXPECTED_FILE
    try:
        expected = Expected.model_validate_json(path.read_bytes())
        return GoldenPage(folder.name, (folder / PAGE_FILE).read_bytes(), expected)
    except OSError as error:
        raise ConfigError(
            f"{folder} is not a golden page: {error.filename} cannot be read. It needs {PAGE_FILE} and {path.name}."
        ) from error
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors())
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems)) from error


def _record(page: GoldenPage) -> Record:
    capture = Capture(
        url=page.expected.url,
        fetched_at=page.expected.fetched_at or datetime.now(UTC),
        status=200,
        reason="OK",
        protocol="HTTP/1.1",
        request_headers=(),
        response_headers=((b"Content-Type", page.expected.content_type.encode("latin-1", "replace")),),
        body=page.body,
    )
    return Record(capture, "response", WarcPointer())


def _value(found: ReadPage, name: str) -> object:
    if name == "reason":
        return None
    if name == "text":
        return plain_text(found.article.blocks)
    return getattr(found if name.startswith("charset") else found.article, name)


def _block_differences(expected: Blocks, found: Blocks) -> Iterator[Difference]:
    for tag, start, end, other_start, other_end in SequenceMatcher(None, expected, found, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Difference(f"blocks[{start}]", expected[start:end] or None, found[other_start:other_end] or None)
