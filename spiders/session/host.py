"""One leased host: its robots.txt, its turns, its URLs one after the other, and its retries.

Before: `leased_hosts` leased it. After: each URL whose turn has come goes into the `request_queue`. Its ExchangeResult comes back to
`finish`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from schemas.capture import Capture, UrlKind
from schemas.outcomes import FetchOutcome, Reason
from schemas.web.ai_preferences import NO_PREFERENCES, AiPreferences
from spiders.permission.opt_outs import TDM_FILE, TdmRules
from spiders.permission.robots import RobotsRules
from spiders.session.context import FetchContext
from spiders.session.exchange import ExchangeResult, record_refusal
from spiders.session.origin_file import OriginRules, read_tdm_rules
from spiders.session.pace import HostPace
from spiders.session.redirect_chain import NO_CHAIN
from spiders.session.request_queue import RequestQueue
from spiders.session.robots_fetch import load_robots_rules, robots_refusal
from spiders.session.tasks import GuardedTasks
from spiders.session.url_in_progress import UrlInProgress
from spiders.session.url_results import retry_after
from storage.frontier.due_plan import HINTED_REVISIT_PRIORITY
from storage.frontier.records import DueUrl, Lease
from storage.urls.host_key import canonical_host, canonical_origin

BATCH_URLS = 100  # due URLs of one query; chosen: with a delay of a second it is asked again after 100 seconds
RECHECK_SECONDS = 60.0  # a long wait checks so often whether the host became too busy meanwhile
MAX_CONSECUTIVE_FAILURES = 10  # chosen: then the host counts as down, and its other URLs are left for another run
T = TypeVar("T")


class HostFetcher:
    """Fetches the URLs of one leased host.

    `in_progress` are the URLs that it handed out or refused, and that are not registered yet. `is_idle`: it has nothing to request until
    `wake` is called. `must_leave`: the lease is to be returned to other workers. `is_leaving`: the lease is being released.
    """

    def __init__(self, context: FetchContext, lease: Lease, request_queue: RequestQueue, tasks: GuardedTasks) -> None:
        self.lease = lease
        self.is_idle = self.must_leave = self.is_leaving = False
        self.in_progress: set[int] = set()
        self._context = context
        self._crawl = context.crawl
        self._run = context.run.crawl_run
        self._frontier = context.frontier
        self._sql = context.database.run
        self._request_queue = request_queue
        self._tasks = tasks
        self._slots = asyncio.Semaphore(context.crawl.politeness.concurrency_per_host)
        self._pace = HostPace(context.crawl.politeness.delay, lease.wait, time.monotonic(), lease.busy)
        self._in_flight = 0
        self._last_place = (-1, -1)
        self._must_rescan = False
        self._asked_for_new = False  # new pages, since known articles were last about to be requested
        self._changed = asyncio.Event()
        self._has_to_leave = asyncio.Event()
        self._robots: dict[str, RobotsRules] = {}
        self._tdm: dict[str, TdmRules] = {}
        self._handed_out = 0
        self._received = 0
        self._begun_at = time.time()
        self._failures = lease.failures
        self._back_off = (lease.busy, lease.failures)  # as stored

    async def run(self) -> None:
        """Fetch until no URL of the host is due in this run, then release the lease."""
        before = await self._sql(self._frontier.progress, self._run, self.lease.host_id)
        self._handed_out, self._received, self._begun_at = before.done, before.received, before.begun_at
        stopped = False
        while not stopped and not self.must_leave:
            batch = await self._next_due()
            for due in batch:
                if self.must_leave:
                    break
                if due.priority >= HINTED_REVISIT_PRIORITY and not stopped and await self._has_found_new():
                    break
                stopped = stopped or not await self._fetch_url(due)
            if not batch and not await self._wait_for_change():
                break
        while (stopped or self.must_leave) and await self._wait_for_change(stopped=True):
            pass
        self.is_leaving = True
        await self._sql(self._frontier.release, {self.lease: self.wait_after()})

    def wake(self) -> None:
        """Look again: URLs were found, or results were registered."""
        self._must_rescan = True
        self._changed.set()

    def leave(self) -> None:
        """Request nothing more, and release the lease when all that was fetched is registered."""
        self.must_leave = True
        self._has_to_leave.set()
        self._changed.set()

    def has_unregistered(self) -> bool:
        """Whether a request is under way, or something that was fetched from the host is not registered yet."""
        return bool(self._in_flight or self.in_progress) or self._context.registrar.has_unregistered_of(self.lease)

    def wait_after(self) -> float:
        """Seconds from now until the host may be requested again."""
        return max(self._pace.next_turn - time.monotonic(), 0.0)

    def finish(self, fetch: UrlInProgress, result: ExchangeResult) -> None:
        """An exchange is finished: its URL has its result, or is requested again."""
        if result.response is not None:
            self._count(result.response)
        self._slots.release()
        now = time.monotonic()
        self._pace.request_ended(now, result.latency)
        if result.retry_wait is not None:
            self._pace.wait(now, result.retry_wait)
            self._tasks.start(self._retry(fetch))
            return
        self._in_flight -= 1
        fetched = result.fetch_result
        failed = fetched is not None and fetched.outcome is FetchOutcome.FAILED and fetched.status is None
        self._failures = self._failures + 1 if failed else 0
        self._store_back_off()
        if not self._in_flight:
            self._changed.set()

    def _count(self, response: Capture) -> None:
        """Count a response of this host, to whatever request. It may say that the host is too busy."""
        if canonical_host(response.url) == self.lease.host:
            self._received += len(response.body)
            self._pace.response_received(time.monotonic(), response.status, retry_after(response, time.time()))

    def _store_back_off(self) -> None:
        """Store what the next owner of the host has to know, also if this worker crashes."""
        back_off = (self._pace.busy, self._failures)
        if back_off != self._back_off:
            self._back_off = back_off
            self._tasks.start(self._sql(self._frontier.set_back_off, self.lease, *back_off))

    async def _retry(self, fetch: UrlInProgress) -> None:
        """Request a URL again in its turn. If the host is too busy, the URL stays due with the rest of the host."""
        if fetch.again and (refusal := await self._refusal(replace(fetch.due, url=fetch.again))):
            self._request_queue.release_page()
            self._in_flight -= 1
            record_refusal(self._context, fetch.due, self.lease, *refusal)
            self._changed.set()
            return
        if not await self._take_turn(is_patient=False):
            self._request_queue.release_page()
            self._in_flight -= 1
            self.in_progress.discard(fetch.due.url_id)
            self._changed.set()
            return
        fetch.tries += 1
        fetch.preferences = self._preferences(fetch.url)
        self._request_queue.put(fetch)

    async def _next_due(self) -> list[DueUrl]:
        """The next URLs that are not in progress. A second scan from the beginning finds URLs that were added before the current position.

        Results of queries come back in order: those from before a registration are read before it, while its URLs are in progress.
        """
        due_urls = self._frontier.due_urls
        while found := await self._sql(due_urls, self._run, self.lease, BATCH_URLS, self._last_place):
            self._last_place = (found[-1].priority, found[-1].url_id)
            if waiting := [due for due in found if due.url_id not in self.in_progress]:
                return waiting
        if self._must_rescan:
            self._must_rescan = False
            found = await self._sql(due_urls, self._run, self.lease, len(self.in_progress) + BATCH_URLS)
        return [due for due in found if due.url_id not in self.in_progress]

    async def _has_found_new(self) -> bool:
        """Asked before a known article is requested: whether new pages were found. New pages go first, from the beginning."""
        if not self._asked_for_new:
            return False
        self._asked_for_new = False
        while self._in_flight:
            self._changed.clear()
            await self._changed.wait()
        await self._context.registrar.flush()
        first = await self._sql(self._frontier.due_urls, self._run, self.lease, len(self.in_progress) + 1)
        if all(due.priority >= HINTED_REVISIT_PRIORITY or due.url_id in self.in_progress for due in first):
            return False
        self._last_place = (-1, -1)
        return True

    async def _fetch_url(self, due: DueUrl) -> bool:
        """Hand out one URL when its turn has come. False if the rest of the host is to be left for another run."""
        refusal = await self._refusal(due)
        if refusal is not None and any(rules.is_rate_limited for rules in self._robots.values()):
            return await self._stop_host("busy")
        if refusal is not None:
            self.in_progress.add(due.url_id)
            record_refusal(self._context, due, self.lease, *refusal)
            return True
        if reason := self._reason_to_stop():
            return await self._stop_host(reason)
        if not await self._request_queue.take_page():  # before a slot is taken: retries of the same host need one to finish
            return False
        has_turn = await self._take_turn(is_patient=False)
        if self.must_leave:
            if has_turn:
                self._slots.release()
            self._request_queue.release_page()
            return True
        if reason := self._reason_to_stop() if has_turn else "busy":  # checked again: responses came while it waited
            if has_turn:
                self._slots.release()
            self._request_queue.release_page()
            return await self._stop_host(reason)
        self.in_progress.add(due.url_id)
        self._handed_out += 1
        self._in_flight += 1
        self._asked_for_new = self._asked_for_new or due.priority < HINTED_REVISIT_PRIORITY
        chain = self._context.chains.take(due.url) if due.redirects else NO_CHAIN
        self._request_queue.put(UrlInProgress(due, self.lease, chain=chain, preferences=self._preferences(due.url)))
        return True

    def _reason_to_stop(self) -> str | None:
        """Why the rest of the host is left for another run; None while it is not."""
        budgets = self._crawl.budgets
        reasons = {
            "failures": self._failures >= MAX_CONSECUTIVE_FAILURES,
            "busy": self._pace.is_too_busy(),
            "max_pages_per_host": self._handed_out >= budgets.max_pages_per_host,
            "max_bytes_per_host": self._received >= budgets.max_bytes_per_host,
            "max_minutes_per_host": time.time() - self._begun_at >= 60 * budgets.max_minutes_per_host,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    async def _stop_host(self, reason: str) -> bool:
        await self._sql(self._frontier.stop_host, self._run, self.lease.host_id, reason)
        return False

    async def _refusal(self, due: DueUrl) -> tuple[FetchOutcome, Reason] | None:
        """Why a URL is not to be fetched. What needs no request is checked first, then robots.txt and opt-outs."""
        context = self._context
        if due.held is not None:
            return FetchOutcome.FILTERED, Reason(due.held)
        if not await self._is_in_scope(due):
            return FetchOutcome.FILTERED, Reason.OUT_OF_SCOPE
        if context.takedowns.covers(due.url):
            return FetchOutcome.DENIED, Reason.TAKEDOWN
        if context.crash_counts.is_fatal(due.url_id):
            return FetchOutcome.FAILED, Reason.PAGE_CRASH
        is_trusted = due.hints.source is not None or due.earlier is not None or due.depth == 0 or due.request is not None
        if due.kind is UrlKind.PAGE and context.traps.trap_reason(due.host_id, due.url, is_trusted, datetime.now(UTC).date()):
            return FetchOutcome.FILTERED, Reason.TRAP
        origin = canonical_origin(due.url)
        reason = await self._robots_refusal(origin, due.url)
        if reason is not None:
            return FetchOutcome.DENIED, reason
        if context.crawl.politeness.opt_outs == "obey" and await self._is_reserved(origin, due.url):
            return FetchOutcome.DENIED, Reason.OPTED_OUT
        return None

    async def _is_in_scope(self, due: DueUrl) -> bool:
        scope = self._context.scope
        of_seed = due.redirects > 0 and scope.covers_redirect(due.url, due.kind, due.depth, due.redirects, may_leave=True)
        if of_seed or scope.covers(due.url, due.kind, due.depth):
            return True
        hosts = await self._sql(self._frontier.seed_hosts, self._crawl.name)  # another worker may have taken the host in
        for host in hosts:
            scope.add_host(host)
        return scope.covers(due.url, due.kind, due.depth)

    async def _robots_refusal(self, origin: str, url: str) -> Reason | None:
        if self._crawl.politeness.robots == "ignore":
            return None
        return await robots_refusal(self._context, await self._rules(origin), url)

    async def _rules(self, origin: str) -> RobotsRules:
        """The rules of an origin. They are read again when they are too old, and while a busy host is worth waiting for."""
        rules = self._robots.get(origin)
        while rules is None or rules.expires_at <= time.time() or (rules.is_rate_limited and self._pace.is_worth_waiting()):
            rules = self._robots[origin] = await self._read_about_origin(load_robots_rules(self._context, self.lease, origin))
            self._tdm.pop(origin, None)  # of the same age
            self._pace.slow_down(rules.crawl_delay())
            if self._pace.delay:
                await self._sql(self._frontier.set_delay, self.lease, self._pace.delay)
                self._pace.request_started(time.monotonic())
        return rules

    def _preferences(self, url: str) -> AiPreferences:
        """The AI preferences that the robots.txt has for a URL, as it was when the URL was allowed."""
        rules = self._robots.get(canonical_origin(url))
        return NO_PREFERENCES if rules is None else rules.preferences(url)

    async def _is_reserved(self, origin: str, url: str) -> bool:
        if origin not in self._tdm:
            may_ask = await self._robots_refusal(origin, origin + TDM_FILE) is None
            self._tdm[origin] = await self._read_about_origin(read_tdm_rules(self._context, self.lease, origin)) if may_ask else TdmRules()
        return bool(self._tdm[origin].reserves(url))

    async def _read_about_origin(self, reading: Coroutine[None, None, OriginRules[T]]) -> T:
        """Read a file about the whole origin, in the host's turn. If it was cached and the site is not asked, the turn is given back."""
        turn = self._pace.next_turn
        await self._take_turn()
        try:
            read = await reading
        finally:
            self._slots.release()
        for response in read.responses:
            self._count(response)
        if read.was_asked:
            self._pace.request_ended(time.monotonic(), 0.0)
        else:
            self._pace.return_turn(turn)
        return read.rules

    async def _take_turn(self, is_patient: bool = True) -> bool:
        """Take a slot and wait for the host's next turn. False, and no slot, if the host is too busy and the caller is not patient."""
        await self._slots.acquire()
        while (wait := self._pace.next_turn - time.monotonic()) > 0:
            if not is_patient and (self.must_leave or self._pace.is_too_busy()):
                self._slots.release()
                return False
            await self._wait_for_turn(min(wait, RECHECK_SECONDS), is_patient)
        self._pace.request_started(time.monotonic())
        return True

    async def _wait_for_turn(self, seconds: float, is_patient: bool) -> None:
        """Wait; if the caller is not patient, only until the host is to be returned."""
        if is_patient:
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_to_leave.wait()

    async def _wait_for_change(self, stopped: bool = False) -> bool:
        """Wait until something changed. False if no URL of the host is due in this run and everything is registered.

        Changes since the last query of due URLs count too, unless the rest of the host is left for another run.
        """
        self._changed.clear()
        if self._must_rescan and not stopped:
            return True
        if not self.has_unregistered():
            if self.must_leave:
                return False
            pending = await self._sql(self._frontier.pending, self._run, [self.lease.host_id])
            if not pending.get(self.lease.host_id):
                return False
        self.is_idle = not self._in_flight
        await self._changed.wait()
        self.is_idle = False
        return True
