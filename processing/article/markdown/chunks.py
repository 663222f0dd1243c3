"""Cut an article into chunks for retrieval: each is of one section and of bounded size, and ends where a block ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from processing.article.markdown.cuts import pieces, sentences
from processing.article.markdown.document import write_document
from processing.article.markdown.escape import with_escaped_start
from schemas.article import Block, BlockKind, BlockMarkup

_TABLE_RULE = re.compile(r"\|(?: --- \|)+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """`position` counts the chunks from 0. `headings` are those above it, its own included, the highest first. `block` is its first one."""

    position: int
    headings: tuple[str, ...]
    block: int
    text: str


def split_chunks(blocks: Sequence[Block], markup: Sequence[BlockMarkup], size: int) -> list[Chunk]:
    """The chunks in order, each at most `size` characters of Markdown. A longer block is cut at rows, lines, sentences or words."""
    chunks: list[Chunk] = []
    for section in _sections(blocks):
        open_parts: list[BlockMarkup] = []
        first, length = section.first, 0
        for place in section.places:
            for part in _parts(markup[place], blocks[place].kind, size):
                cost = _cost(part)
                if open_parts and length + cost > size:
                    chunks.append(Chunk(len(chunks), section.headings, first, write_document(open_parts)))
                    open_parts, first, length = [], place, 0
                open_parts.append(part)
                length += cost
        if open_parts and (text := write_document(open_parts)):
            chunks.append(Chunk(len(chunks), section.headings, first, text))
    return chunks


@dataclass(frozen=True, slots=True)
class _Section:
    headings: tuple[str, ...]
    places: range

    @property
    def first(self) -> int:
        return self.places.start


def _sections(blocks: Sequence[Block]) -> Iterator[_Section]:
    """The runs of blocks between headings. Headings directly behind one another begin one section."""
    path: list[tuple[int, str]] = []
    start, has_text = 0, False
    for place, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING:
            if has_text:
                yield _Section(tuple(text for _, text in path), range(start, place))
                start, has_text = place, False
            path = [(level, text) for level, text in path if level < block.level] + [(block.level, block.text)]
        else:
            has_text = True
    if start < len(blocks):
        yield _Section(tuple(text for _, text in path), range(start, len(blocks)))


def _cost(part: BlockMarkup) -> int:
    """How many characters a block adds to a document, at most: each of its lines is indented, and a blank line stands before it."""
    indent = sum(2 if container.kind != "number" else len(str(container.number)) + 2 for container in part.containers)
    lines = part.markdown.count("\n") + 1
    return len(part.markdown) + (lines + 1) * indent + 2 + sum(len(image) + 2 for image in part.images)


def _parts(block: BlockMarkup, kind: BlockKind, size: int) -> Iterator[BlockMarkup]:
    """A block whole if it fits; otherwise its images, then parts of it that fit."""
    if _cost(block) <= size:
        yield block
        return
    images = [image for image in block.images if len(image) + 2 <= size]
    yield from (BlockMarkup("", (), (image,)) for image in images)
    alone = replace(block, images=())
    room = max(size - (_cost(alone) - len(block.markdown)), size // 4)
    flat = replace(alone, containers=()) if room <= size // 4 else alone
    for text in _cut(block.markdown, kind, size - 4 if flat is not alone else room):
        yield replace(flat, markdown=text)


def _cut(markdown: str, kind: BlockKind, size: int) -> Iterator[str]:
    lines = markdown.split("\n")
    if kind is BlockKind.TABLE and len(lines) > 2 and _TABLE_RULE.fullmatch(lines[1]) and len(lines[0]) + len(lines[1]) + 2 < size // 2:
        head = "\n".join(lines[:2])
        yield from (f"{head}\n{rows}" for rows in _joined(lines[2:], "\n", size - len(head) - 1))
    elif kind is BlockKind.CODE and len(lines) > 2:
        fence = lines[-1]
        yield from (f"{lines[0]}\n{code}\n{fence}" for code in _joined(lines[1:-1], "\n", size - len(lines[0]) - len(fence) - 2))
    else:
        texts = _joined(list(sentences(markdown, size - 1)), "", size - 1)
        yield from (with_escaped_start(text.strip()) for text in texts)


def _joined(parts: Sequence[str], between: str, size: int) -> Iterator[str]:
    """Neighbouring parts joined as long as they fit. A part that is too long itself is cut at blanks, or anywhere."""
    size = max(size, 20)
    text: str | None = None
    for part in (piece for whole in parts for piece in pieces(whole, size)):
        if text is None:
            text = part
        elif len(text) + len(between) + len(part) <= size:
            text += between + part
        else:
            yield text
            text = part
    if text is not None:
        yield text
