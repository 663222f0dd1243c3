"""Which due URLs a run takes when its budget does not cover all of them. Works inside the caller's transaction.

If the budget covers all due URLs, the run takes all. If not, it takes new pages and sources (feeds, sitemaps, hubs) first. Known articles,
which are visited again to find edits, get the pages that are left. For each source, as many pages as the crawl's price says are reserved
for the new pages that it will probably bring.
Within the run, known articles come last. Those that do not fit stay due; the next run takes first those that have waited longest.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, or_, select, true, tuple_, union_all

from schemas.config.crawl import Crawl
from storage.database.frontier_tables import HOSTS, URLS
from storage.frontier.records import BudgetShortfall

HINTED_REVISIT_PRIORITY = 30_001  # after every priority of a new URL, see spiders.custom.callbacks.MAX_PRIORITY
REVISIT_PRIORITY = 30_002
IN_PARTS = {"yield_per": 5_000}  # rows in memory, of a server too; chosen: as many as a transaction changes
PRIORITIES_A_STEP = 20  # known articles keep their order, and the result fits into the column (SMALLINT)


@dataclass(slots=True)
class HostDueCounts:
    """The due URLs of one host, and how many pages the run can fetch there. `taken` known articles are in the run already."""

    pages: float = math.inf
    new: int = 0
    sources: int = 0
    revisits: int = 0
    taken: int = 0

    def add(self, row: Any) -> None:  # Any: rows are typed by their query
        """Add the URLs of one kind: `new`, `sources` or `revisits`."""
        setattr(self, row.kind, getattr(self, row.kind) + row.number)
        if row.is_taken and row.kind == "revisits":
            self.taken += row.number

    def due(self) -> int:
        """All due URLs."""
        return self.new + self.sources + self.revisits

    def covered(self) -> int:
        """The new pages and sources that the host's budget covers."""
        return int(min(self.new + self.sources, self.pages))

    def expected(self, price: float) -> float:
        """The same, plus the new pages that the sources will probably bring."""
        return min(self.new + self.sources * (1 + price), self.pages)


@dataclass
class DueCounts:
    """The due URLs of all hosts, added up. Of single hosts only those are stored whose budget does not cover all their due URLs.

    `room` and `host_rooms` say how many known articles still fit into the budgets of the run and of these hosts.
    """

    budget: int
    due: int = 0
    expected: float = 0.0
    taken: int = 0
    host_rooms: dict[int, int] = field(default_factory=dict)

    def add(self, host_id: int, host: HostDueCounts, price: float) -> None:
        """Add a host."""
        self.due += host.due()
        self.expected += host.expected(price)
        self.taken += host.taken
        if host.due() > host.pages:
            self.host_rooms[host_id] = max(math.floor(host.pages - host.expected(price)) - host.taken, 0)

    def fits(self) -> bool:
        """Whether the run's budget covers all due URLs."""
        return self.due <= self.budget

    def all_fit(self) -> bool:
        """Whether the run's budget and those of all hosts cover all due URLs."""
        return self.fits() and not self.host_rooms

    def room(self) -> int:
        """The pages of the run's budget that are left for known articles, if it does not cover all due URLs."""
        return max(max(math.floor(self.budget - self.expected), 0) - self.taken, 0)


def is_known_article() -> ColumnElement[bool]:
    """Whether a row of `urls` is an article that was captured before. The revisit state of a source begins with 1, of an article with 0."""
    return and_(URLS.c.captured_at.is_not(None), URLS.c.revisit.startswith("[0,"))


def is_deferrable(now: float) -> ColumnElement[bool]:
    """Whether a due row may wait if the budget is too small: a known article, unless a person asked for it just now."""
    return and_(is_known_article(), URLS.c.due_at < now)


def count_due_urls(connection: Connection, crawl: Crawl, run_no: int, now: float) -> DueCounts:
    """Count the due URLs, and those that an interrupted planning moved into the run already."""
    found = DueCounts(crawl.budgets.max_pages)
    for host_id, host in _by_host(connection, crawl, [(URLS.c.run_no == run_no, True), (is_due(crawl.name, now), False)]):
        found.add(host_id, host, crawl.revisit.price)
    return found


def next_due(connection: Connection, crawl: str, now: float, after: tuple[float, int] | None, limit: int) -> Sequence[Any]:
    """The due rows after a position in the order (due_at, url_id): `url_id`, `due_at`, `is_deferrable`."""
    place = (URLS.c.due_at, URLS.c.url_id)
    later = true() if after is None else and_(URLS.c.due_at >= after[0], tuple_(*place) > tuple_(*after))
    query = select(*place, is_deferrable(now).label("is_deferrable")).where(is_due(crawl, now), later)
    return connection.execute(query.order_by(*place).limit(limit)).all()


def fitting_revisits(connection: Connection, crawl: Crawl, counts: DueCounts, now: float) -> array[int]:
    """The ids of the due known articles that fit into the run's budgets.

    New pages and sources are in the run already. Articles that a hint made due come first, then those that have waited longest.
    """
    query = select(URLS.c.url_id, URLS.c.host_id).where(is_due(crawl.name, now), is_deferrable(now))
    query = query.order_by(URLS.c.hinted_by.is_(None), URLS.c.due_at, URLS.c.url_id)
    with connection.execute(query, execution_options=IN_PARTS) as rows:
        return array("q", islice(_within(dict(counts.host_rooms), rows), None if counts.fits() else counts.room()))


def _within(left: dict[int, int], rows: Iterable[Any]) -> Iterator[int]:  # Any: rows are typed by their query
    """The ids of those rows for which their host still has room. `left` is what is left of the room, and changes."""
    for row in rows:
        room = left.get(row.host_id)
        if room is not None:
            if not room:
                continue
            left[row.host_id] = room - 1
        yield row.url_id


def count_budget_shortfall(connection: Connection, crawl: Crawl, run_no: int, now: float) -> BudgetShortfall:
    """The due URLs that the budgets of a run do not cover, counted when its planning ends."""
    new = sources = covered = covered_sources = 0
    for _, host in _by_host(connection, crawl, [(URLS.c.run_no == run_no, True)]):
        new += host.new
        sources += host.sources
        covered += host.covered()
        covered_sources += min(host.sources, host.covered())
    covered = min(covered, crawl.budgets.max_pages)
    left_sources = sources - min(covered_sources, covered)
    left_new = new + sources - covered - left_sources
    idle = select(func.count()).select_from(URLS).where(is_due(crawl.name, now), is_known_article())
    return BudgetShortfall(new=left_new, sources=left_sources, revisits=connection.scalar(idle) or 0)


def is_due(crawl: str, now: float) -> ColumnElement[bool]:
    """The rows of `urls` that are due and wait in no run."""
    return and_(URLS.c.crawl == crawl, URLS.c.run_no.is_(None), URLS.c.due_at <= now, URLS.c.held.is_(None))


def _by_host(
    connection: Connection, crawl: Crawl, chosen: Iterable[tuple[ColumnElement[bool], bool]]
) -> Iterator[tuple[int, HostDueCounts]]:
    """The counts of the chosen rows, host by host. With each choice it says whether its rows are in the run already."""
    is_source = or_(URLS.c.kind != "page", URLS.c.revisit.startswith("[1,"))
    kind = case((is_known_article(), "revisits"), (is_source, "sources"), else_="new")
    columns = (URLS.c.host_id, kind.label("kind"), func.count().label("number"))
    counts = [select(*columns, literal(is_taken).label("is_taken")).where(rows).group_by(URLS.c.host_id, kind) for rows, is_taken in chosen]
    part = union_all(*counts).subquery()
    query = select(part, HOSTS.c.delay).join(HOSTS, HOSTS.c.host_id == part.c.host_id).order_by(part.c.host_id)
    with connection.execute(query, execution_options=IN_PARTS) as rows:
        for host_id, kinds in groupby(rows, attrgetter("host_id")):
            host = HostDueCounts()
            for row in kinds:
                host.pages = host_pages(crawl, row.delay)
                host.add(row)
            yield host_id, host


def host_pages(crawl: Crawl, delay: float) -> float:
    """How many pages a run can fetch from a host, with `delay` seconds between requests."""
    budgets, delay = crawl.budgets, max(delay, crawl.politeness.delay)
    seconds = 60 * min(budgets.max_minutes, budgets.max_minutes_per_host)
    return min(budgets.max_pages_per_host, max(seconds / delay, 1) if delay else math.inf)


def revisit_priority() -> ColumnElement[int]:
    """The priority of a known article in a run: after all new URLs; articles with a hint come first."""
    later = case((URLS.c.hinted_by.is_not(None), HINTED_REVISIT_PRIORITY), else_=REVISIT_PRIORITY + URLS.c.priority // PRIORITIES_A_STEP)
    return case((URLS.c.priority >= HINTED_REVISIT_PRIORITY, URLS.c.priority), else_=later)
