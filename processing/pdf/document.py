"""Read a PDF document: its text as paragraphs and headings, and what it says of itself."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from processing.article.markdown.leaf import plain_markdown
from processing.article.tree.characters import folded_text
from processing.article.tree.entities import storable
from schemas.article import Block, BlockKind, BlockMarkup, Container

MAX_PAGES = 2_000
MAX_CHARACTERS = 600_000  # of text; a longer document is cut off, as a row with more would be too large
MAX_SECONDS = 20.0  # of reading pages, below the limit of a page worker; what was read until then is kept
MAX_TITLE_CHARACTERS = 300
_MAGIC = re.compile(rb"[\x00\s]{0,1024}%PDF-")
_BULLET = re.compile(r"^(?:[•●▪◦‣·–]|[-*](?=\s))\s*")
_NUMBERED = re.compile(r"^(?:\d{1,3}[.)]|\(\d{1,3}\)|[a-z]\))\s")
_ENDS = frozenset('.!?:;”"’…)。！？')
_FILE_NAME = re.compile(
    r"\.(?:docx?|pdf|indd|qxp|pptx?|xlsx?|tex|dvi|ps|odt|pages)\s*$|^(?:microsoft word|untitled|document\d*|slide \d+)\b", re.IGNORECASE
)
_SHORT_LINE = 0.75  # of the usual length: a line that ends earlier may be the last of its paragraph


class UnreadablePdfError(Exception):
    """The document cannot be opened; the message says why."""


@dataclass(frozen=True, slots=True)
class PdfDocument:
    """`blocks` are paragraphs, headings and list items. `is_cut_off`: it has more text than is read."""

    title: str | None
    authors: tuple[str, ...] = ()
    blocks: list[Block] = field(default_factory=list)
    language: str | None = None
    is_cut_off: bool = False

    def markup(self) -> list[BlockMarkup]:
        """Each block as Markdown; neighbouring items are one list."""
        markup: list[BlockMarkup] = []
        group = 0
        for place, block in enumerate(self.blocks):
            is_item = block.kind is BlockKind.LIST_ITEM
            group += not is_item
            markup.append(BlockMarkup(plain_markdown(block), (Container("bullet", group, place),) if is_item else ()))
        return markup


def is_pdf(body: bytes) -> bool:
    """Whether a body begins as PDF documents do."""
    return _MAGIC.match(body[:1100]) is not None


def read_pdf(body: bytes) -> PdfDocument:
    """The document of these bytes. Raises UnreadablePdfError for one that is damaged or needs a password."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(body)
    except pdfium.PdfiumError as error:
        raise UnreadablePdfError(f"the PDF cannot be opened: {error}"[:300]) from error
    try:
        lines, is_cut_off = _lines(document)
        blocks = _blocks(lines)
        said = {name: folded_text(storable(text)) for name, text in document.get_metadata_dict(skip_empty=True).items()}
    finally:
        document.close()
    return PdfDocument(_title(said.get("Title", ""), blocks), _authors(said.get("Author", "")), blocks, None, is_cut_off)


def _lines(document: Any) -> tuple[list[list[str]], bool]:  # Any: pypdfium2 has no types
    """The lines of each page, and whether not all were read."""
    import pypdfium2 as pdfium

    pages: list[list[str]] = []
    characters, start = 0, time.monotonic()
    count = len(document)
    for number in range(min(count, MAX_PAGES)):
        if characters >= MAX_CHARACTERS or time.monotonic() - start > MAX_SECONDS:
            return pages, True
        try:
            text = _page_text(document, number)
        except pdfium.PdfiumError:  # one broken page of a document
            continue
        text = storable(text[: MAX_CHARACTERS - characters])
        characters += len(text)
        pages.append([folded_text(line) for line in re.split(r"\r\n|\r|\n|\x0c", text)])
    return pages, count > MAX_PAGES


def _page_text(document: Any, number: int) -> str:  # Any: pypdfium2 has no types
    page = document[number]
    try:
        text = page.get_textpage()
        try:
            return str(text.get_text_bounded())
        finally:
            text.close()
    finally:
        page.close()


def _blocks(pages: list[list[str]]) -> list[Block]:
    """The lines joined to paragraphs. Lines that stand at the top or the end of most pages are their headers and footers."""
    marginal = _marginal_lines(pages)
    lines = [line for page in pages for line in _without_margins(page, marginal)]
    usual = _usual_length(lines)
    blocks: list[Block] = []
    open_lines: list[str] = []
    for line in [*lines, ""]:
        if open_lines and (not line or _begins(line, open_lines[-1], usual)):
            blocks += _block(open_lines)
            open_lines = []
        if line:
            open_lines.append(line)
    return blocks


def _block(lines: list[str]) -> Iterator[Block]:
    text = lines[0]
    for line in lines[1:]:
        text = text[:-1] + line if text.endswith(("-", "\u00ad", "\x02", "\ufffe")) and line[:1].islower() else f"{text} {line}"
    text = "".join(character for character in text if character.isprintable())
    bullet = _BULLET.match(text)
    text = text[bullet.end() :] if bullet else text
    if text.strip():
        yield Block(BlockKind.LIST_ITEM if bullet else BlockKind.PARAGRAPH, text.strip(), 1 if bullet else 0)


def _begins(line: str, before: str, usual: int) -> bool:
    """Whether a line begins a block: after one that is short or ends a sentence early, or as an item of a list does."""
    if _BULLET.match(line) or _NUMBERED.match(line):
        return True
    is_short = len(before) < _SHORT_LINE * usual
    return is_short and (before[-1] in _ENDS or not line[:1].islower())


def _usual_length(lines: list[str]) -> int:
    lengths = sorted(len(line) for line in lines if line)
    return lengths[len(lengths) * 3 // 4] if lengths else 0


def _marginal_lines(pages: list[list[str]]) -> frozenset[str]:
    """The first and last lines, without their numbers, that at least three pages and a third of all have."""
    counts: dict[str, int] = {}
    for page in pages:
        filled = [line for line in page if line]
        for line in {_numberless(line) for line in [*filled[:2], *filled[-2:]]}:
            counts[line] = counts.get(line, 0) + 1
    return frozenset(line for line, count in counts.items() if count >= max(3, len(pages) / 3))


def _without_margins(page: list[str], marginal: frozenset[str]) -> list[str]:
    filled = [place for place, line in enumerate(page) if line]
    edges = {*filled[:2], *filled[-2:]}
    return [line for place, line in enumerate(page) if place not in edges or _numberless(line) not in marginal]


def _numberless(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _title(declared: str, blocks: list[Block]) -> str | None:
    """The title that the document declares, unless it is a file's name; otherwise its first lines."""
    if declared and not _FILE_NAME.search(declared) and any(map(str.isalpha, declared)):
        return declared[:MAX_TITLE_CHARACTERS]
    first = next((block.text for block in blocks if any(map(str.isalpha, block.text))), None)
    return first[:MAX_TITLE_CHARACTERS].strip() if first else None


def _authors(declared: str) -> tuple[str, ...]:
    return tuple(name.strip()[:200] for name in re.split(r"[;,]| and ", declared) if name.strip())[:50]
