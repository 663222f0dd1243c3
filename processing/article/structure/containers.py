"""The quotations and list items that text is in, with the numbers of ordered lists."""

from __future__ import annotations

import re

from processing.article.outline.tags import ITEMS
from processing.article.tree.parse import Node
from schemas.article import Container

MAX_CONTAINERS = 12  # nested lists and quotations; deeper ones count as these
MAX_ITEM_NUMBER = 999_999_999  # Markdown knows no larger one
_FIRST_NEW_LIST = -1_000_000  # names of lists that no element has; those of elements are their indices
_INTEGER = re.compile(r"\s*([+-]?\d{1,11})(?!\d)", re.ASCII)


class Containers:
    """Names the quotations, lists and items of a page in the order of their opening."""

    def __init__(self) -> None:
        self._names = 0  # given to items and quotations
        self._last_items: dict[int, tuple[Container, ...]] = {}  # by list

    def inside(self, node: Node, tag: str, above: tuple[Container, ...], group: int) -> tuple[Container, ...]:
        """The containers of the text in an element. `above` are those around it, `group` is the element of the list that it may be in."""
        if len(above) >= MAX_CONTAINERS or (tag not in ITEMS and tag != "blockquote"):
            return above
        self._names += 1
        if tag == "blockquote":
            return (*above, Container("quote", self._names, self._names))
        if tag == "dd" and group in self._last_items:  # a definition belongs to the term before it
            return self._last_items[group]
        self._last_items[group] = (*above, self._item(node, group))
        return self._last_items[group]

    def _item(self, node: Node, group: int) -> Container:
        """The item of a list. Markdown counts upwards from a list's first number, so an item with another number begins a new list."""
        parent, last = node.parent, self._last_items.get(group)
        if parent is None or parent.tag != "ol":
            return Container("bullet", group, self._names, 0)
        before = last[-1] if last else None
        number = _item_number(node, parent, before)
        if not 0 <= number <= MAX_ITEM_NUMBER:
            return Container("bullet", -group - 1, self._names, number)
        follows = before is not None and before.kind == "number" and number == before.number + 1
        own = group if before is None else before.group if follows else _FIRST_NEW_LIST - self._names
        return Container("number", own, self._names, number)


def _item_number(node: Node, parent: Node, before: Container | None) -> int:
    """The number of an item of an `ol`: as it says, otherwise the next one; of a reversed list, the one before."""
    step = -1 if "reversed" in parent.attributes else 1
    if found := _INTEGER.match(node.attributes.get("value") or ""):
        return int(found[1])
    if before is not None:
        return before.number + step
    if found := _INTEGER.match(parent.attributes.get("start") or ""):
        return int(found[1])
    return 1 if step > 0 else sum(child.tag == "li" for child in parent.iter())
