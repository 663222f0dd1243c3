"""Which pages have a key, run after run: when it was seen, and since when it is gone.

A key is gone when every page that last had it answered 404 or 410, or was read again in full without it, in one crawl run. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """A row of `sightings`: a page has the key (`seen_at`), a page has it no more (neither time), or no page has it (`gone_at`)."""

    url: str | None = None
    seen_at: datetime | None = None
    gone_at: datetime | None = None


@dataclass(slots=True)
class KeyPages:
    """The pages that a key stands on. `left` are those of them that had it no more when they were read last.

    A page stays among the key's pages until the key is seen elsewhere afterwards: only a run that reads all of them can say it is gone.
    `last_seen` is kept for pages that had the key at any time.
    """

    pages: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    last_seen: dict[str, datetime] = field(default_factory=dict)

    def apply(self, sightings: Iterable[Sighting]) -> None:
        """Take in the sightings of one crawl run."""
        found = list(sightings)
        for one in found:
            if one.url is not None and one.seen_at is not None:
                self.last_seen[one.url] = max(one.seen_at, self.last_seen.get(one.url, one.seen_at))
        seen = {one.url for one in found if one.seen_at is not None and one.url is not None}
        left = {one.url for one in found if one.seen_at is None and one.gone_at is None and one.url is not None}
        if seen:
            self.pages = (self.pages - self.left - left) | seen
            self.left = set()
        else:
            self.left |= left & self.pages
        if any(one.gone_at is not None for one in found):
            self.pages, self.left = set(), set()

    def has(self, url: str, captured_at: datetime | None) -> bool:
        """Whether a page that is as it was has the key; `captured_at` is the time of the capture that it is equal to, if that is known.

        The page may have answered 404 since then, so that the key was gone.
        """
        if url in self.pages and url not in self.left:
            return True
        last = self.last_seen.get(url)
        return captured_at is not None and last is not None and last >= captured_at

    def sightings(self, seen: Mapping[str, datetime], read: Mapping[str, datetime]) -> Iterator[Sighting]:
        """What one crawl run says of the key: `seen` are the pages that have it, `read` all pages that were read in full or are gone."""
        yield from (Sighting(url, seen_at=at) for url, at in sorted(seen.items()))
        without = sorted(url for url in self.pages if url in read and url not in seen)
        if not seen and self.pages and len(without) == len(self.pages):
            yield Sighting(gone_at=max(read[url] for url in without))
        else:
            yield from (Sighting(url) for url in without if url not in self.left)
