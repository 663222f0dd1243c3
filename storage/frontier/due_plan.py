"""Which due URLs a run takes when its budget does not cover all of them. Works inside the caller's transaction.

If the budget covers all due URLs, the run takes all. If not, it takes new pages and sources (feeds, sitemaps, hubs) first. Known articles,
which are visited again to find edits, get the pages that are left. For each source, as many pages as the crawl's price says are reserved
for the new pages that it will probably bring.
Within the run, known articles come last. Those that do not fit stay due; the next run takes first those that have waited longest.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, true, tuple_

from schemas.config.crawl import Crawl
from storage.database.frontier_tables import HOSTS, URLS
from storage.frontier.records import BudgetShortfall

HINTED_REVISIT_PRIORITY = 30_001  # after every priority of a new URL, see spiders.custom.callbacks.MAX_PRIORITY
REVISIT_PRIORITY = 30_002
PRIORITIES_A_STEP = 20  # known articles keep their order, and the result fits into the column (SMALLINT)


@dataclass(slots=True)
class HostDueCounts:
    """The due URLs of one host, and how many pages the run can fetch there. `taken` known articles are in the run already."""

    pages: float = math.inf
    new: int = 0
    sources: int = 0
    revisits: int = 0
    taken: int = 0

    def add(self, group: str, number: int, pages: float) -> None:
        """Add to `new`, `sources` or `revisits`. `pages` is how many pages the run can fetch from the host."""
        setattr(self, group, getattr(self, group) + number)
        self.pages = pages

    def count_as_taken(self) -> None:
        """Note that the known articles counted so far are in the run already."""
        self.taken = self.revisits

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
    """The due URLs by host. From them follows how many known articles still fit."""

    hosts: dict[int, HostDueCounts] = field(default_factory=lambda: defaultdict(HostDueCounts))

    def room(self, crawl: Crawl) -> int:
        """The pages of the run's budget that are left for known articles, if it does not cover all due URLs."""
        expected = sum(host.expected(crawl.revisit.price) for host in self.hosts.values())
        return max(math.floor(crawl.budgets.max_pages - expected), 0)

    def host_rooms(self, crawl: Crawl) -> dict[int, int]:
        """How many known articles fit into a host's budget, for the hosts whose budget does not cover all their due URLs."""
        short = {key: host for key, host in self.hosts.items() if host.due() > host.pages}
        return {key: math.floor(host.pages - host.expected(crawl.revisit.price)) for key, host in short.items()}

    def fits(self, crawl: Crawl) -> bool:
        """Whether the run's budget covers all due URLs."""
        return sum(host.due() for host in self.hosts.values()) <= crawl.budgets.max_pages

    def all_fit(self, crawl: Crawl) -> bool:
        """Whether the run's budget and those of all hosts cover all due URLs."""
        return self.fits(crawl) and not self.host_rooms(crawl)


def is_known_article() -> ColumnElement[bool]:
    """Whether a row of `urls` is an article that was captured before. The revisit state of a source begins with 1, of an article with 0."""
    return and_(URLS.c.captured_at.is_not(None), URLS.c.revisit.startswith("[0,"))


def is_deferrable(now: float) -> ColumnElement[bool]:
    """Whether a due row may wait if the budget is too small: a known article, unless a person asked for it just now."""
    return and_(is_known_article(), URLS.c.due_at < now)


def count_due_urls(connection: Connection, crawl: Crawl, run_no: int, now: float) -> DueCounts:
    """Count the due URLs, and those that an interrupted planning moved into the run already."""
    found = DueCounts()
    _count(connection, crawl, URLS.c.run_no == run_no, found)
    for host in found.hosts.values():
        host.count_as_taken()
    _count(connection, crawl, is_due(crawl.name, now), found)
    return found


def next_due(connection: Connection, crawl: str, now: float, after: tuple[float, int] | None, limit: int) -> Sequence[Any]:
    """The due rows after a position in the order (due_at, url_id): `url_id`, `due_at`, `is_deferrable`."""
    place = (URLS.c.due_at, URLS.c.url_id)
    later = true() if after is None else and_(URLS.c.due_at >= after[0], tuple_(*place) > tuple_(*after))
    query = select(*place, is_deferrable(now).label("is_deferrable")).where(is_due(crawl, now), later)
    return connection.execute(query.order_by(*place).limit(limit)).all()


def fitting_revisits(connection: Connection, crawl: Crawl, counts: DueCounts, now: float) -> list[int]:
    """The ids of the due known articles that fit into the run's budgets.

    New pages and sources are in the run already. Articles that a hint made due come first, then those that have waited longest.
    """
    taken = sum(host.taken for host in counts.hosts.values())
    limits = {key: max(limit - counts.hosts[key].taken, 0) for key, limit in counts.host_rooms(crawl).items()}
    query = select(URLS.c.url_id, URLS.c.host_id).where(is_due(crawl.name, now), is_deferrable(now))
    rows = connection.execute(query.order_by(URLS.c.hinted_by.is_(None), URLS.c.due_at, URLS.c.url_id))
    most = None if counts.fits(crawl) else max(counts.room(crawl) - taken, 0)
    return list(islice(_within(limits, rows), most))


def _within(limits: Mapping[int, int], rows: Iterable[Any]) -> Iterator[int]:  # Any: rows are typed by their query
    chosen = Counter[int]()
    for row in rows:
        if chosen[row.host_id] < limits.get(row.host_id, math.inf):
            chosen[row.host_id] += 1
            yield row.url_id


def count_budget_shortfall(connection: Connection, crawl: Crawl, run_no: int, now: float) -> BudgetShortfall:
    """The due URLs that the budgets of a run do not cover, counted when its planning ends."""
    in_run = DueCounts()
    _count(connection, crawl, URLS.c.run_no == run_no, in_run)
    hosts = in_run.hosts.values()
    covered = min(sum(host.covered() for host in hosts), crawl.budgets.max_pages)
    sources = sum(host.sources for host in hosts)
    left_sources = sources - min(sum(min(host.sources, host.covered()) for host in hosts), covered)
    left_new = sum(host.new for host in hosts) + sources - covered - left_sources
    idle = select(func.count()).select_from(URLS).where(is_due(crawl.name, now), is_known_article())
    return BudgetShortfall(new=left_new, sources=left_sources, revisits=connection.scalar(idle) or 0)


def is_due(crawl: str, now: float) -> ColumnElement[bool]:
    """The rows of `urls` that are due and wait in no run."""
    return and_(URLS.c.crawl == crawl, URLS.c.run_no.is_(None), URLS.c.due_at <= now, URLS.c.held.is_(None))


def _count(connection: Connection, crawl: Crawl, chosen: ColumnElement[bool], found: DueCounts) -> None:
    """Add the chosen rows to the counts."""
    is_source = or_(URLS.c.kind != "page", URLS.c.revisit.startswith("[1,"))
    kind = case((is_known_article(), "revisits"), (is_source, "sources"), else_="new")
    query = select(URLS.c.host_id, kind.label("kind"), func.count().label("number")).where(chosen).group_by(URLS.c.host_id, kind)
    per_kind = query.subquery()
    query = select(per_kind, HOSTS.c.delay).join(HOSTS, HOSTS.c.host_id == per_kind.c.host_id)
    for row in connection.execute(query):
        found.hosts[row.host_id].add(row.kind, row.number, host_pages(crawl, row.delay))


def host_pages(crawl: Crawl, delay: float) -> float:
    """How many pages a run can fetch from a host, with `delay` seconds between requests."""
    budgets, delay = crawl.budgets, max(delay, crawl.politeness.delay)
    seconds = 60 * min(budgets.max_minutes, budgets.max_minutes_per_host)
    return min(budgets.max_pages_per_host, max(seconds / delay, 1) if delay else math.inf)


def revisit_priority() -> ColumnElement[int]:
    """The priority of a known article in a run: after all new URLs; articles with a hint come first."""
    later = case((URLS.c.hinted_by.is_not(None), HINTED_REVISIT_PRIORITY), else_=REVISIT_PRIORITY + URLS.c.priority // PRIORITIES_A_STEP)
    return case((URLS.c.priority >= HINTED_REVISIT_PRIORITY, URLS.c.priority), else_=later)
