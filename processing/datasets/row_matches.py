"""Which of a selector's matches are in which row: one query for the whole page. A query for each row takes ten times as long."""

from __future__ import annotations

import re
from collections.abc import Sequence

from processing.article.tree.parse import Node, Tree

_NAME = r"[A-Za-z_-][\w-]*"
_VALUE = rf"(?:\"[^\",\\]*\"|'[^',\\]*'|{_NAME})"
_TYPE = rf"(?:{_NAME}|\*)"
_QUALIFIER = (
    rf"(?:[.#]{_NAME}|\[{_NAME}(?:[~|^$*]?={_VALUE})?\]|:(?:first|last|only)-(?:child|of-type)|:nth-(?:child|of-type)\([\dn+ -]+\))"
)
_COMPOUND = rf"(?:{_TYPE}{_QUALIFIER}*|{_QUALIFIER}+)"
_ONE = re.compile(_COMPOUND)
_CHAIN = re.compile(rf"{_COMPOUND}(?:(?:\s*[>+~]\s*|\s+){_COMPOUND})*")


def page_selector(each: str, css: str) -> str | None:
    """The selector that finds on the page what `css` finds inside of the elements of `each`, or None.

    There is one where no part of `css` may be outside of the row: it asks for properties of single elements only.
    """
    parts = [part.strip() for part in css.split(",")]
    if not _CHAIN.fullmatch(each.strip()) or not all(map(_ONE.fullmatch, parts)):
        return None
    return ", ".join(f"{each.strip()} {part}" for part in parts)


def found_once(nodes: list[Node], selector: str) -> list[Node]:
    """The nodes that a selector finds. The engine gives one several times that several selectors of a list find."""
    return list({node.mem_id: node for node in nodes}.values()) if "," in selector else nodes


class RowElements:
    """The elements of a page of which each is a row."""

    def __init__(self, elements: Sequence[Node]) -> None:
        self._numbers = {element.mem_id: number for number, element in enumerate(elements)}
        self._rows_around: dict[int, tuple[int, ...]] = {}  # by element, the rows that it is in or is

    def matches(self, tree: Tree, selector: str) -> list[list[Node]]:
        """By row, what a selector finds inside of its element, in the order of the page. Of rows in one another, each has it."""
        found: list[list[Node]] = [[] for _ in self._numbers]
        around = self._rows_around
        for node in found_once(tree.css(selector), selector):
            if (parent := node.parent) is None:
                continue
            rows = around.get(parent.mem_id)
            for number in self._around(parent) if rows is None else rows:
                found[number].append(node)
        return found

    def _around(self, node: Node) -> tuple[int, ...]:
        """The rows that an element is in or is."""
        way: list[int] = []
        current: Node | None = node
        known: tuple[int, ...] | None = None
        while current is not None and (known := self._rows_around.get(current.mem_id)) is None:
            way.append(current.mem_id)
            current = current.parent
        rows = known or ()
        for place in reversed(way):
            number = self._numbers.get(place)
            rows = rows if number is None else (*rows, number)
            self._rows_around[place] = rows
        return rows
