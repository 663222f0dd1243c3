"""In which containers the latest pages of one host had their articles, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

MAX_PAGES = 50  # URLs kept per host, the latest: a host has few templates, and they change
CONTAINER_PAGES = 3  # distinct URLs that have their article in a container before it counts as one of the host's
CONTAINER_SHARE = 0.2  # of the host's kept pages

Occurrence = tuple[int, int, str]  # URL digest, seconds since the epoch, the container's signature


class ContainerOccurrences:
    """The article containers of one host. The order in which occurrences are added does not matter."""

    def __init__(self) -> None:
        self._pages: dict[int, tuple[int, str]] = {}

    def add(self, occurrences: Iterable[Occurrence]) -> None:
        """Add containers of pages. The latest occurrence of a page counts; of equal times the last name."""
        for page, seen, container in occurrences:
            self._pages[page] = max((seen, container), self._pages.get(page, (seen, container)))
            if len(self._pages) > MAX_PAGES:
                del self._pages[min(self._pages, key=lambda known: (self._pages[known][0], known))]

    def occurrences(self) -> Iterator[Occurrence]:
        """All occurrences, by page."""
        return ((page, seen, container) for page, (seen, container) in sorted(self._pages.items()))

    @property
    def has_enough_pages(self) -> bool:
        """Whether any container can count as one of the host's."""
        return len(self._pages) >= CONTAINER_PAGES

    def current(self, oldest: int) -> tuple[str, ...]:
        """The containers that enough pages had since `oldest`, the most frequent first."""
        counts = Counter(container for seen, container in self._pages.values() if seen >= oldest)
        enough = max(CONTAINER_PAGES, CONTAINER_SHARE * counts.total())
        return tuple(name for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= enough)
