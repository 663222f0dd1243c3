"""The frontier: which URLs wait, which worker may fetch from which host, and what became of each URL.

A host is leased as a whole, for all crawls. Each lease has a fencing token that only grows. The state of a URL is per (crawl, URL).

On the main path, `spiders.spool.registrar` comes before `Frontier.register`, and `storage.frontier.registration` does what it needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, and_, bindparam, func, select, update

from runtime import failpoint
from schemas.config.settings import Settings
from schemas.errors import RunClosedError
from schemas.manifest import FetchCounts, Manifest, Segment
from schemas.runs import CrawlRun
from storage.database.clock import Clock, current_time
from storage.database.engine import Database, open_database
from storage.database.frontier_tables import HOSTS, RUN_HOSTS, URLS, WORKERS
from storage.database.ledger_tables import CRAWL_RUNS, SEGMENTS
from storage.frontier.closing import begin_close, finish_close
from storage.frontier.enqueue import add_seed_host, count_waiting, host_ids, insert_urls, read_seed_hosts
from storage.frontier.hints import count_hint_outcomes, follow_hints, host_trust
from storage.frontier.leasing import LEASE_SECONDS, host_share, join_run, lease_free_hosts, worker_ends, worker_reports
from storage.frontier.page_budget import release_pages, reserve_pages, spend_pages
from storage.frontier.planning import DueAgain, plan_run, release_run, reschedule, withdraw_run
from storage.frontier.queries import (
    budget_shortfall,
    busiest_hosts,
    check_open,
    count_due,
    due_by_host,
    due_url,
    ending_phase,
    has_waiting_urls,
    host_outcomes,
    is_leased_by_run,
    is_source_row,
    left_over_urls,
    next_due_url,
    primary_sources,
    run_number,
)
from storage.frontier.records import (
    MAX_COUNTED_HOSTS,
    BudgetShortfall,
    Discovery,
    DueUrl,
    FetchResult,
    HostOutcomes,
    HostProgress,
    HostShare,
    Lease,
    PageGrant,
    RunPhase,
    RunState,
)
from storage.frontier.registration import CLOSED_MESSAGE, add_totals, check_tokens, write_results
from storage.frontier.robots_cache import CachedRobots, read_cached_robots, write_cached_robots
from storage.ledger.ledger import insert_segment
from storage.urls.host_key import canonical_host

KNOWN_HOSTS = 100_000  # whose ids are kept in memory


def open_frontier(settings: Settings, clock: Clock | None = None) -> Frontier:
    """The frontier of this home; its tables are created if they are missing. Close it at the end. Raises UnavailableError, StorageError."""
    return Frontier(open_database(settings.database_url("frontier"), pooled=True), clock)


class Frontier:
    """The frontier in its database. Every method is one transaction, except those that say otherwise.

    `clock` gives seconds since the epoch. Without it the database's clock is used, so that workers on several machines agree.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock
        self._run_numbers: dict[str, int] = {}
        self._hosts: dict[str, int] = {}

    def plan(self, run: CrawlRun, seeds: Sequence[Discovery], wanted: Sequence[Discovery] = ()) -> CrawlRun:
        """Plan a run, in several transactions: add new seeds, take the due URLs, and the `wanted` ones whether they are due or not.

        If the budgets do not cover all of them, new URLs come before known articles, see `storage.frontier.due_plan`.
        If a run of the same key exists, it is returned unchanged.
        """
        return plan_run(self._database, run, seeds, wanted, self._clock)

    def budget_shortfall(self, crawl_run: str) -> BudgetShortfall:
        """The due URLs that a run leaves because its budgets are too small, counted when it was planned."""
        with self._database.read() as connection:
            return budget_shortfall(connection, self._number(crawl_run))

    def now(self) -> float:
        """Seconds since the epoch, by the clock that decides about leases."""
        with self._database.read() as connection:
            return current_time(connection, self._clock)

    def add(self, crawl_run: str, crawl: str, discoveries: Sequence[Discovery]) -> int:
        """Add found URLs to a run. URLs that the crawl knows already stay as they are. Returns how many were new."""
        return self.add_by_source(crawl_run, crawl, discoveries).total()

    def add_by_source(self, crawl_run: str, crawl: str, discoveries: Sequence[Discovery], hints_after: float = 0.0) -> Counter[str | None]:
        """Add found URLs to a run as `add` does; returns how many were new, by the URL of the page that they were found on.

        Known URLs join the run too if a trusted source says that they were modified since their last fetch, and if that fetch is at least
        `hints_after` seconds old. Raises RunClosedError if the run takes no more URLs; nothing is added then.
        """
        run_no = self._number(crawl_run)
        wanted = {canonical_host(found.url) for found in discoveries}
        with self._database.write() as connection:
            hosts = self._known_hosts(connection, wanted)
            now = current_time(connection, self._clock)
            per_host, per_source = follow_hints(connection, crawl, run_no, discoveries, now, hints_after), Counter[str | None]()
            added = insert_urls(connection, crawl, run_no, discoveries, hosts, now)
            for (host_id, via), count in added.items():
                per_host[host_id] += count
                per_source[via] += count
            count_waiting(connection, run_no, per_host)
            check_open(connection, run_no)
        self._hosts.update(hosts)  # only after the commit: a rollback removes new hosts
        return per_source

    def _known_hosts(self, connection: Connection, wanted: Collection[str]) -> dict[str, int]:
        if len(self._hosts) > KNOWN_HOSTS:
            self._hosts.clear()
        hosts = {host: self._hosts[host] for host in wanted if host in self._hosts}
        return hosts | host_ids(connection, (host for host in wanted if host not in hosts))

    def join(self, crawl_run: str, worker: str) -> tuple[int, list[Lease]]:
        """A worker starts, or starts again after its crash. Its previous attempt can no longer write, and this one takes over its leases.

        Returns the number of the attempt (from 1), and the leases taken over, each with a token one higher. Leave their hosts alone for
        `wait` seconds first. Raises NotFoundError; RunClosedError if the run takes no workers.
        """
        with self._database.write() as connection:
            run_no = run_number(connection, crawl_run)
            joined = join_run(connection, run_no, worker, current_time(connection, self._clock))
            check_open(connection, run_no)
        return joined

    def host_share(self, crawl_run: str, worker: str, active: int) -> HostShare:
        """How many more hosts a worker may lease, and how many it should return. `active` are those that it has requests for."""
        run_no = self._number(crawl_run)
        with self._database.read() as connection:
            return host_share(connection, run_no, worker, active, current_time(connection, self._clock))

    def lease_hosts(self, crawl_run: str, worker: str, attempt: int, limit: int, active: int = 0) -> list[Lease]:
        """Lease free hosts that have URLs waiting in the run: up to `limit`, and up to the share of a worker that has `active` ones.

        Expired leases of others are taken over. `attempt` is the number that `join` returned. Raises FencedError if the worker was started
        again elsewhere.
        """
        run_no = self._number(crawl_run)
        with self._database.write() as connection:
            now = current_time(connection, self._clock)
            worker_reports(connection, run_no, worker, attempt, active, now)
            if ending_phase(connection, run_no) is not None:
                return []
            room = min(host_share(connection, run_no, worker, active, now).room, limit)
            leases = lease_free_hosts(connection, run_no, worker, room, now) if room else []
            if leases:
                worker_reports(connection, run_no, worker, attempt, active + len(leases), now)
        return leases

    def report_hosts(self, crawl_run: str, worker: str, attempt: int, active: int) -> None:
        """Report that a worker is alive and how many active hosts it has. Raises FencedError if it was started again elsewhere."""
        run_no = self._number(crawl_run)
        with self._database.write() as connection:
            worker_reports(connection, run_no, worker, attempt, active, current_time(connection, self._clock))

    def leave(self, crawl_run: str, worker: str, attempt: int) -> None:
        """A worker ends, after it has released its hosts: it has no share of the run's hosts any more."""
        run_no = self._number(crawl_run)
        with self._database.write() as connection:
            worker_ends(connection, run_no, worker, attempt, current_time(connection, self._clock))

    def renew(self, leases: Collection[Lease]) -> None:
        """Extend leases. Raises FencedError if one of them has a newer owner."""
        with self._database.write() as connection:
            check_tokens(connection, {lease.host_id: lease.token for lease in leases})
            mine = HOSTS.c.host_id.in_([lease.host_id for lease in leases])
            connection.execute(update(HOSTS).where(mine).values(free_at=current_time(connection, self._clock) + LEASE_SECONDS))

    def release(self, leases: Mapping[Lease, float]) -> None:
        """End leases. `leases` gives the seconds in which nobody leases the host again. Leases that others have taken over are skipped."""
        if not leases:
            return
        mine = and_(HOSTS.c.host_id == bindparam("_host_id"), HOSTS.c.token == bindparam("_token"))
        with self._database.write() as connection:
            now = current_time(connection, self._clock)
            rows = [{"_host_id": lease.host_id, "_token": lease.token, "_free_at": now + wait} for lease, wait in leases.items()]
            connection.execute(update(HOSTS).where(mine).values(leased=False, free_at=bindparam("_free_at")), rows)

    def set_delay(self, lease: Lease, delay: float) -> None:
        """Store the seconds between requests to a host, so that its next owner keeps to them even after a crash."""
        mine = and_(HOSTS.c.host_id == lease.host_id, HOSTS.c.token == lease.token)
        with self._database.write() as connection:
            connection.execute(update(HOSTS).where(mine).values(delay=delay))

    def set_back_off(self, lease: Lease, busy: int, failures: int) -> None:
        """Store how often in a row a host said that it is busy, and did not respond, so that its next owner continues from there."""
        mine = and_(HOSTS.c.host_id == lease.host_id, HOSTS.c.token == lease.token)
        with self._database.write() as connection:
            connection.execute(update(HOSTS).where(mine).values(busy=busy, failures=failures))

    def due_urls(self, crawl_run: str, lease: Lease, limit: int, after: tuple[int, int] = (-1, -1)) -> list[DueUrl]:
        """The next URLs of a leased host that wait in the run, in the order (priority, url id), after the position `after`."""
        here = select(URLS).where(URLS.c.run_no == self._number(crawl_run), URLS.c.host_id == lease.host_id)
        # Two queries, each a range of the index. One query with OR is not, and SQLite uses only the first column of a row comparison.
        same = here.where(URLS.c.priority == after[0], URLS.c.url_id > after[1]).order_by(URLS.c.url_id)
        later = here.where(URLS.c.priority > after[0]).order_by(URLS.c.priority, URLS.c.url_id)
        with self._database.read() as connection:
            rows = list(connection.execute(same.limit(limit)).mappings())
            if len(rows) < limit:
                rows += connection.execute(later.limit(limit - len(rows))).mappings()
            crawl = rows[0]["crawl"] if rows else ""
            leading = primary_sources(connection, crawl, lease.host_id) if any(map(is_source_row, rows)) else {}
            known = any(row["revisit"] is not None for row in rows)
            trust = host_trust(connection, crawl, lease.host_id) if known else {}
        return [due_url(row, leading, trust) for row in rows]

    def progress(self, crawl_run: str, host_id: int) -> HostProgress:
        """How far the run is with a leased host."""
        query = select(RUN_HOSTS).where(RUN_HOSTS.c.run_no == self._number(crawl_run), RUN_HOSTS.c.host_id == host_id)
        with self._database.read() as connection:
            row = connection.execute(query).one()
        return HostProgress(row.due - row.pending, row.received, row.begun_at)

    def pending(self, crawl_run: str, host_ids: Collection[int]) -> dict[int, int]:
        """How many URLs of these hosts wait in the run, without those that are done. 0 for hosts where the run stopped."""
        query = select(RUN_HOSTS.c.host_id, RUN_HOSTS.c.pending, RUN_HOSTS.c.stopped)
        query = query.where(RUN_HOSTS.c.run_no == self._number(crawl_run), RUN_HOSTS.c.host_id.in_(sorted(host_ids)))
        with self._database.read() as connection:
            return {row.host_id: 0 if row.stopped else row.pending for row in connection.execute(query)}

    def register(
        self, crawl_run: str, worker: str, leases: Collection[Lease], results: Sequence[FetchResult], segment: Segment | None = None
    ) -> None:
        """Register results and their segment in one transaction: all of it or nothing.

        `leases` must cover every host of the results and of the segment. Raises FencedError if one of them has a newer owner, and
        RunClosedError if the run is closed or is being closed.
        """
        run_no = self._number(crawl_run)
        with self._database.write() as connection:
            if ending_phase(connection, run_no) is RunPhase.CLOSED:  # comes first: this worker's leases may be lost as well
                raise RunClosedError(CLOSED_MESSAGE.format(crawl_run=crawl_run))
            now = current_time(connection, self._clock)
            spend_pages(connection, run_no, worker, results, now)
            check_tokens(connection, {lease.host_id: lease.token for lease in leases})
            count_hint_outcomes(connection, run_no, results)
            write_results(connection, run_no, results)
            if segment is not None:
                insert_segment(connection, crawl_run, worker, segment, now)
            add_totals(connection, crawl_run, results, segment)
            failpoint.reached("inside-register")
            mine = HOSTS.c.host_id.in_([lease.host_id for lease in leases])
            connection.execute(update(HOSTS).where(mine).values(free_at=now + LEASE_SECONDS))

    def reserve_pages(self, crawl_run: str, worker: str, attempt: int, limit: int) -> PageGrant:
        """Reserve pages of the run's budget for a worker: none if `limit` pages are fetched or reserved. Raises FencedError."""
        run_no = self._number(crawl_run)
        with self._database.write() as connection:
            return reserve_pages(connection, run_no, worker, attempt, limit, current_time(connection, self._clock), LEASE_SECONDS)

    def release_pages(self, crawl_run: str, worker: str, attempt: int, count: int | None = None) -> None:
        """Release reserved pages; all of them without a count."""
        run_no = self._number(crawl_run)
        with self._database.write() as connection:
            release_pages(connection, run_no, worker, attempt, count)

    def report(self, crawl_run: str, worker: str, responses: int, received: int, errors: int) -> None:
        """Add to the counts of a worker, which people see while the run goes on."""
        added = {
            "responses": WORKERS.c.responses + responses,
            "received": WORKERS.c.received + received,
            "errors": WORKERS.c.errors + errors,
        }
        mine = and_(WORKERS.c.run_no == self._number(crawl_run), WORKERS.c.worker == worker)
        with self._database.write() as connection:
            connection.execute(update(WORKERS).where(mine).values(**added, seen_at=current_time(connection, self._clock)))

    def is_registered(self, segment: str) -> bool:
        """Whether a segment of that name is registered."""
        with self._database.read() as connection:
            return connection.scalar(select(SEGMENTS.c.segment).where(SEGMENTS.c.segment == segment)) is not None

    def is_closed(self, crawl_run: str) -> bool:
        """Whether a run is closed or is being closed."""
        run_no = self._number(crawl_run)
        with self._database.read() as connection:
            return ending_phase(connection, run_no) is RunPhase.CLOSED

    def state(self, crawl_run: str) -> RunState:
        """The state of a run. Workers ask for it often, so open hosts are counted up to MAX_COUNTED_HOSTS only."""
        run_no = self._number(crawl_run)
        with self._database.read() as connection:
            now = current_time(connection, self._clock)
            run = connection.execute(select(CRAWL_RUNS).where(CRAWL_RUNS.c.run_no == run_no)).mappings().one()
            open_hosts = (
                select(RUN_HOSTS.c.host_id)
                .where(has_waiting_urls(run_no))
                .order_by(RUN_HOSTS.c.host_id)
                .limit(MAX_COUNTED_HOSTS)
                .subquery()
            )
            waiting = connection.scalar(select(func.count()).select_from(open_hosts)) or 0
            leased = connection.scalar(select(func.count()).select_from(HOSTS).where(is_leased_by_run(run_no, now))) or 0
            phase = ending_phase(connection, run_no) or (RunPhase.WORKING if waiting or leased else RunPhase.DRAINED)
            reported = select(func.sum(WORKERS.c.responses), func.sum(WORKERS.c.received), func.sum(WORKERS.c.errors))
            live = [int(total or 0) for total in connection.execute(reported.where(WORKERS.c.run_no == run_no)).one()]
        return RunState(phase, run["stopping"], run["pages"], run["bytes"], waiting, leased, *live)

    def stop_run(self, crawl_run: str, reason: str) -> None:
        """Ask all workers of a run to end; the first reason stays."""
        first = and_(CRAWL_RUNS.c.crawl_run == crawl_run, CRAWL_RUNS.c.stopping.is_(None))
        with self._database.write() as connection:
            run_number(connection, crawl_run)
            connection.execute(update(CRAWL_RUNS).where(first).values(stopping=reason))

    def stop_host(self, crawl_run: str, host_id: int, reason: str) -> None:
        """Fetch nothing more from a host in this run: its waiting URLs will be left over."""
        here = and_(RUN_HOSTS.c.run_no == self._number(crawl_run), RUN_HOSTS.c.host_id == host_id)
        with self._database.write() as connection:
            connection.execute(update(RUN_HOSTS).where(here).values(stopped=reason))

    def begin_close(self, crawl_run: str) -> tuple[FetchCounts, dict[str, int]]:
        """Begin to close a run; returns the counts of what became of its URLs, and the reasons as `outcome:reason` -> number.

        From now on nothing is registered in it and no URL is added. Raises ConflictError while a worker holds a live lease,
        RunClosedError if the run is closed already.
        """
        run_no = self._number(crawl_run)
        with self._database.write() as connection:
            return begin_close(connection, crawl_run, run_no, current_time(connection, self._clock), LEASE_SECONDS)

    def workers(self, crawl_run: str) -> dict[str, int]:
        """The workers that joined a run, with the number of their attempts."""
        query = select(WORKERS.c.worker, WORKERS.c.attempt).where(WORKERS.c.run_no == self._number(crawl_run))
        with self._database.read() as connection:
            return {row.worker: row.attempt for row in connection.execute(query)}

    def reschedule(self, crawl: str, due_again: DueAgain) -> int:
        """Give the URLs of a crawl that are scheduled for later the time that `due_again` says, in several transactions."""
        return reschedule(self._database, crawl, due_again, self.now())

    def withdraw(self, crawl_run: str) -> bool:
        """Remove an open run that has no URLs and that no worker has joined, as if it had not been planned. False if it has any."""
        return withdraw_run(self._database, self._number(crawl_run))

    def next_due_url(self, crawl: str) -> tuple[float, str] | None:
        """When the next URL of a crawl is due that waits in no run, and which. None if no URL ever is."""
        with self._database.read() as connection:
            return next_due_url(connection, crawl)

    def count_due(self, crawl_run: str) -> tuple[int, int]:
        """How many hosts have URLs in a run, and how many URLs these are."""
        with self._database.read() as connection:
            return count_due(connection, self._number(crawl_run))

    def busiest_hosts(self, crawl_run: str, limit: int) -> dict[str, int]:
        """The hosts with most URLs in a run, and how many."""
        with self._database.read() as connection:
            return busiest_hosts(connection, self._number(crawl_run), limit)

    def due_by_host(self, crawl_run: str, names: Collection[str]) -> dict[str, int]:
        """How many URLs some hosts have in a run, without those that have none."""
        with self._database.read() as connection:
            return due_by_host(connection, self._number(crawl_run), names)

    def host_outcomes(self, crawl_run: str, names: Collection[str]) -> dict[str, HostOutcomes]:
        """What became of the URLs of some hosts in a run."""
        with self._database.read() as connection:
            return host_outcomes(connection, self._number(crawl_run), names)

    def left_over_urls(self, crawl_run: str) -> tuple[str, ...]:
        """A few of the URLs that still wait in a run, as examples of those that its close leaves over."""
        with self._database.read() as connection:
            return left_over_urls(connection, self._number(crawl_run))

    def finish_close(self, crawl_run: str, manifest: Manifest) -> Manifest:
        """Close a run with its manifest and release its left-over URLs, in several transactions. The first manifest stays."""
        return finish_close(self._database, self._number(crawl_run), manifest)

    def release_left_over(self, crawl_run: str) -> None:
        """Release the URLs that still wait in a closed run, because its close was interrupted."""
        release_run(self._database, self._number(crawl_run))

    def robots(self, origin: str) -> CachedRobots | None:
        """The robots.txt of an origin, if a worker read it and it is still valid."""
        return read_cached_robots(self._database, origin, self._clock)

    def cache_robots(self, robots: CachedRobots) -> None:
        """Share a robots.txt with all workers."""
        write_cached_robots(self._database, robots)

    def seed_hosts(self, crawl: str) -> list[str]:
        """The hosts to which the redirects of the crawl's seeds lead."""
        return read_seed_hosts(self._database, crawl)

    def add_seed_host(self, crawl: str, host: str, url: str) -> None:
        """A seed's redirects ended at this URL: its host belongs to the crawl."""
        add_seed_host(self._database, crawl, host, url)

    def close(self) -> None:
        """Close the database connections."""
        self._database.close()

    def _number(self, crawl_run: str) -> int:
        if crawl_run not in self._run_numbers:
            with self._database.read() as connection:
                self._run_numbers[crawl_run] = run_number(connection, crawl_run)
        return self._run_numbers[crawl_run]
