"""A cache of links that were handled already, so that the same menu on every page costs almost nothing."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from storage.urls.host_key import canonical_origin

MAX_REMEMBERED = 1 << 18  # links, of 8 bytes each: 2 MB
ABSOLUTE = ("/", "http://", "https://")


class LinkMemory:
    """Links as written that were handled before. A new link overwrites an old one in the same slot, so that memory stays constant."""

    def __init__(self) -> None:
        self._keys = array("q", bytes(8 * MAX_REMEMBERED))

    def unseen(self, base: str, references: Iterable[str]) -> Iterator[tuple[str, int]]:
        """The references on a page at `base` that are not remembered, each with its key for `remember`."""
        origin = canonical_origin(base)
        keys = self._keys
        for reference in references:
            key = hash((origin if reference.startswith(ABSOLUTE) else base, reference))
            if keys[key % MAX_REMEMBERED] != key:
                yield reference, key

    def remember(self, key: int) -> None:
        """Mark a reference as handled: the frontier has its URL, or it is never in scope."""
        self._keys[key % MAX_REMEMBERED] = key
