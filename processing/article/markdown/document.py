"""Join blocks to a Markdown document: lists and quotations around them, blank lines between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.article import BlockMarkup, Container

_OTHER_MARKERS = {"-": "*", "*": "-", ".": ")", ")": "."}


def write_document(blocks: Iterable[BlockMarkup]) -> str:
    """The document; it ends without a line break. Blocks without text of their own leave no trace."""
    writer = _Writer()
    for block in blocks:
        for image in block.images:
            writer.add(image, ())
        if block.markdown:
            writer.add(block.markdown, block.containers)
    return "\n".join(writer.lines)


class _Writer:
    """The lines so far, and the containers of the last block."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._last: tuple[Container, ...] = ()
        self._markers: dict[tuple[int, int], str] = {}  # by depth and list
        self._recent: dict[int, tuple[int, str]] = {}  # by depth: the last list and its marker

    def add(self, markdown: str, containers: Sequence[Container]) -> None:
        """Add a block."""
        containers = tuple(containers)
        common = _common(self._last, containers)
        if self.lines and not self._is_tight(containers, common):
            self.lines.append(self._prefix(self._last[:common]).rstrip())
        if not containers:
            self._recent = {}
        elif common < len(containers):
            self._recent = {depth: found for depth, found in self._recent.items() if depth <= common}
        opening = self._prefix(containers[:common]) + "".join(
            self._marker(container, depth) for depth, container in enumerate(containers[common:], common)
        )
        following = self._prefix(containers)
        first, *others = markdown.split("\n")
        self.lines += [opening + first, *((following + line).rstrip() if not line else following + line for line in others)]
        self._last = containers

    def _is_tight(self, containers: tuple[Container, ...], common: int) -> bool:
        """Whether no blank line stands before a block: a further item of the list, or the first one of a list inside the last item."""
        if common == len(containers):
            return False
        new = containers[common]
        if new.kind == "quote":
            return False
        if common < len(self._last):
            return self._last[common].group == new.group and self._last[common].kind == new.kind
        can_follow = new.kind == "bullet" or new.number == 1  # a list that begins with another number needs a blank line before it
        return common > 0 and self._last[common - 1].kind != "quote" and can_follow

    def _prefix(self, containers: tuple[Container, ...]) -> str:
        """What begins the further lines of a block."""
        return "".join(
            "> " if container.kind == "quote" else " " * len(self._marker(container, depth)) for depth, container in enumerate(containers)
        )

    def _marker(self, container: Container, depth: int) -> str:
        """What begins an item. Two lists directly behind one another have different markers, so that they stay two."""
        if container.kind == "quote":
            return "> "
        place = depth, container.group
        if place not in self._markers:
            sign = "-" if container.kind == "bullet" else "."
            group, recent = self._recent.get(depth, (container.group, ""))
            self._markers[place] = _OTHER_MARKERS[sign] if group != container.group and recent == sign else sign
        sign = self._markers[place]
        self._recent[depth] = container.group, sign
        return f"{sign} " if container.kind == "bullet" else f"{container.number}{sign} "


def _common(one: tuple[Container, ...], other: tuple[Container, ...]) -> int:
    """How many containers two blocks share."""
    count = 0
    for ours, theirs in zip(one, other, strict=False):
        if ours != theirs:
            break
        count += 1
    return count
