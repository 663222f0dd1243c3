"""The links that a worker has dealt with already, so that the same menu on every page costs next to nothing."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

MAX_REMEMBERED = 1 << 18
ABSOLUTE = ("/", "http://", "https://")


class LinkMemory:
    """References as written that need no second look, in 2 MB whatever the crawl's size: the newer one takes the older one's slot."""

    def __init__(self) -> None:
        self._keys = array("q", bytes(8 * MAX_REMEMBERED))

    def unseen(self, base: str, references: Iterable[str]) -> Iterator[tuple[str, int]]:
        """The references on a page at `base` that are not remembered, each with the key to remember it by."""
        origin = "/".join(base.split("/", 3)[:3])
        keys = self._keys
        for reference in references:
            key = hash((origin if reference.startswith(ABSOLUTE) else base, reference))
            if keys[key % MAX_REMEMBERED] != key:
                yield reference, key

    def remember(self, key: int) -> None:
        """A reference needs no second look: the frontier has its URL, or it never leads anywhere."""
        self._keys[key % MAX_REMEMBERED] = key
