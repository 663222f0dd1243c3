"""One leased host: its robots.txt, its turns, its URLs one after the other, and its retries.

Before: `leased_hosts` leased it. After: each URL whose turn has come goes into the `outbox`; its ExchangeResult comes back to `finish`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import TypeVar

from schemas.capture import Capture, UrlKind
from schemas.outcomes import FetchOutcome, Reason
from spiders.permission.opt_outs import TDM_FILE, TdmRules
from spiders.permission.robots import RobotsRules
from spiders.session.context import FetchContext
from spiders.session.exchange import ExchangeResult, record_refusal
from spiders.session.fetch import Fetch
from spiders.session.origin_file import OriginRules
from spiders.session.outbox import Outbox
from spiders.session.pace import HostPace
from spiders.session.results import retry_after
from spiders.session.robots_fetch import read_robots, robots_refusal
from spiders.session.tasks import GuardedTasks
from spiders.session.tdm_fetch import read_tdm_rules
from storage.frontier.due_plan import HINTED_REVISIT_PRIORITY
from storage.frontier.records import DueUrl, Lease
from storage.urls.host_key import canonical_host, canonical_origin

BATCH_URLS = 100
LOOK_SECONDS = 60.0  # how often a long wait looks whether it still makes sense
MAX_FAILURES_IN_A_ROW = 10
T = TypeVar("T")


class HostService:
    """One lease at work. `resting`: it has nothing to ask for until something wakes it. `taken` are URLs not registered yet.

    `is_leaving`: the lease is being given back.
    """

    def __init__(self, context: FetchContext, lease: Lease, outbox: Outbox, tasks: GuardedTasks) -> None:
        self.lease = lease
        self.resting = self.is_leaving = False
        self.taken: set[int] = set()
        self._context = context
        self._crawl = context.crawl
        self._run = context.run.crawl_run
        self._frontier = context.frontier
        self._sql = context.database.run
        self._outbox = outbox
        self._tasks = tasks
        self._slots = asyncio.Semaphore(context.crawl.politeness.concurrency_per_host)
        self._pace = HostPace(context.crawl.politeness.delay, lease.wait, time.monotonic())
        self._under_way = 0
        self._after = (-1, -1)
        self._look_back = False
        self._asked_for_new = False  # since known articles were last about to be asked for
        self._news = asyncio.Event()
        self._robots: dict[str, RobotsRules] = {}
        self._tdm: dict[str, TdmRules] = {}
        self._served = 0
        self._received = 0
        self._begun_at = time.time()
        self._failures = 0

    async def serve(self) -> None:
        """Serves the host until nothing of it waits in the run, then gives the lease back."""
        before = await self._sql(self._frontier.progress, self._run, self.lease.host_id)
        self._served, self._received, self._begun_at = before.marked, before.received, before.begun_at
        stopped = False
        while not stopped:
            batch = await self._waiting()
            for due in batch:
                if due.priority >= HINTED_REVISIT_PRIORITY and not stopped and await self._has_found_new():
                    break
                stopped = stopped or not await self._serve_url(due)
            if not batch and not await self._rest():
                break
        while stopped and await self._rest(stopped=True):
            pass
        self.is_leaving = True
        await self._sql(self._frontier.release, {self.lease: self.wait_after()})

    def wake(self) -> None:
        """Something changed: URLs were found, or a batch was registered."""
        self._look_back = True
        self._news.set()

    def wait_after(self) -> float:
        """Seconds for which the host is to be left alone from now on."""
        return max(self._pace.next_turn - time.monotonic(), 0.0)

    def finish(self, fetch: Fetch, result: ExchangeResult) -> None:
        """An exchange is finished: its URL has its result, or is requested again."""
        if result.response is not None:
            self._count(result.response)
        self._slots.release()
        now = time.monotonic()
        self._pace.ended(now, result.latency)
        if result.retry_wait is not None:
            self._pace.wait(now, result.retry_wait)
            self._tasks.start(self._again(fetch))
            return
        self._under_way -= 1
        mark = result.mark
        failed = mark is not None and mark.outcome is FetchOutcome.FAILED and mark.status is None
        self._failures = self._failures + 1 if failed else 0
        if not self._under_way:
            self._news.set()

    def _count(self, response: Capture) -> None:
        """The host responded, whatever it was asked: it may say that it is too busy."""
        if canonical_host(response.url) == self.lease.host:
            self._received += len(response.body)
            self._pace.answered(time.monotonic(), response.status, retry_after(response, time.time()))

    async def _again(self, fetch: Fetch) -> None:
        """Hands a URL out once more in its turn; where the host is left for another run, the URL is left with it."""
        if not await self._turn(patient=False):
            self._outbox.release_page()
            self._under_way -= 1
            self.taken.discard(fetch.due.url_id)
            self._news.set()
            return
        fetch.tries += 1
        self._outbox.put(fetch)

    async def _waiting(self) -> list[DueUrl]:
        """The next URLs that were not taken yet; a second look from the beginning finds what was added before our place.

        What the database answers before a registration is looked at before it, too: until then those URLs are still taken.
        """
        due_urls = self._frontier.due_urls
        while found := await self._sql(due_urls, self._run, self.lease, BATCH_URLS, self._after):
            self._after = (found[-1].priority, found[-1].url_id)
            if waiting := [due for due in found if due.url_id not in self.taken]:
                return waiting
        if self._look_back:
            self._look_back = False
            found = await self._sql(due_urls, self._run, self.lease, len(self.taken) + BATCH_URLS)
        return [due for due in found if due.url_id not in self.taken]

    async def _has_found_new(self) -> bool:
        """Before a known article is asked for: whether the pages before it led to new ones; these go first, from the beginning."""
        if not self._asked_for_new:
            return False
        self._asked_for_new = False
        while self._under_way:
            self._news.clear()
            await self._news.wait()
        await self._context.registrar.flush()
        first = await self._sql(self._frontier.due_urls, self._run, self.lease, len(self.taken) + 1)
        if all(due.priority >= HINTED_REVISIT_PRIORITY or due.url_id in self.taken for due in first):
            return False
        self._after = (-1, -1)
        return True

    async def _serve_url(self, due: DueUrl) -> bool:
        """Hands one URL out when its turn has come; False when the rest of the host is to be left."""
        refusal = await self._refusal(due)
        if refusal is not None and any(rules.is_rate_limited for rules in self._robots.values()):
            return await self._stop_host("busy")
        if refusal is not None:
            self.taken.add(due.url_id)
            record_refusal(self._context, due, self.lease, *refusal)
            return True
        if reason := self._reason_to_leave():
            return await self._stop_host(reason)
        if not await self._outbox.take_page():  # before a slot is taken: retries of the same host need one to come to their end
            return False
        has_turn = await self._turn(patient=False)
        if reason := self._reason_to_leave() if has_turn else "busy":  # asked again: meanwhile an answer came, and time went by
            if has_turn:
                self._slots.release()
            self._outbox.release_page()
            return await self._stop_host(reason)
        self.taken.add(due.url_id)
        self._served += 1
        self._under_way += 1
        self._asked_for_new = self._asked_for_new or due.priority < HINTED_REVISIT_PRIORITY
        self._outbox.put(Fetch(due, self.lease))
        return True

    def _reason_to_leave(self) -> str | None:
        """Why the rest of the host is to be left for another run."""
        budgets = self._crawl.budgets
        reasons = {
            "failures": self._failures >= MAX_FAILURES_IN_A_ROW,
            "busy": self._pace.has_given_up(),
            "max_pages_per_host": self._served >= budgets.max_pages_per_host,
            "max_bytes_per_host": self._received >= budgets.max_bytes_per_host,
            "max_minutes_per_host": time.time() - self._begun_at >= 60 * budgets.max_minutes_per_host,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    async def _stop_host(self, reason: str) -> bool:
        await self._sql(self._frontier.stop_host, self._run, self.lease.host_id, reason)
        return False

    async def _refusal(self, due: DueUrl) -> tuple[FetchOutcome, Reason] | None:
        """Why a URL is not to be asked for: what can be told without the site first, then what the site itself says."""
        context = self._context
        if due.held is not None:
            return FetchOutcome.FILTERED, Reason(due.held)
        if not context.scope.covers(due.url, due.kind, due.depth):
            return FetchOutcome.FILTERED, Reason.OUT_OF_SCOPE
        if context.takedowns.covers(due.url):
            return FetchOutcome.DENIED, Reason.TAKEDOWN
        if context.deaths.is_fatal(due.url_id):
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

    async def _robots_refusal(self, origin: str, url: str) -> Reason | None:
        if self._crawl.politeness.robots == "ignore":
            return None
        return await robots_refusal(self._context, await self._rules(origin), url)

    async def _rules(self, origin: str) -> RobotsRules:
        """The rules of an origin, read again when they are too old, and while the host asks to wait as long as it is worth waiting for."""
        rules = self._robots.get(origin)
        while rules is None or rules.expires_at <= time.time() or (rules.is_rate_limited and self._pace.is_worth_waiting()):
            rules = self._robots[origin] = await self._ask_first(read_robots(self._context, self.lease, origin))
            self._tdm.pop(origin, None)  # of the same age
            self._pace.slow_down(rules.crawl_delay())
            if self._pace.delay:
                await self._sql(self._frontier.set_delay, self.lease, self._pace.delay)
                self._pace.started(time.monotonic())
        return rules

    async def _is_reserved(self, origin: str, url: str) -> bool:
        if origin not in self._tdm:
            may_ask = await self._robots_refusal(origin, origin + TDM_FILE) is None
            self._tdm[origin] = await self._ask_first(read_tdm_rules(self._context, self.lease, origin)) if may_ask else TdmRules()
        return bool(self._tdm[origin].reserves(url))

    async def _ask_first(self, reading: Coroutine[None, None, OriginRules[T]]) -> T:
        """Reads a file about the whole origin, in the host's turn; where the site need not be asked, the turn stays."""
        turn = self._pace.next_turn
        await self._turn()
        try:
            read = await reading
        finally:
            self._slots.release()
        for response in read.responses:
            self._count(response)
        if read.was_asked:
            self._pace.ended(time.monotonic(), 0.0)
        else:
            self._pace.return_turn(turn)
        return read.rules

    async def _turn(self, patient: bool = True) -> bool:
        """Takes a slot and waits for the host's next turn; False, and no slot, where that is too far off for the impatient."""
        await self._slots.acquire()
        while (wait := self._pace.next_turn - time.monotonic()) > 0:
            if not patient and self._pace.has_given_up():
                self._slots.release()
                return False
            await asyncio.sleep(min(wait, LOOK_SECONDS))
        self._pace.started(time.monotonic())
        return True

    async def _rest(self, stopped: bool = False) -> bool:
        """Waits until something changed; False when nothing of the host waits in the run any more and all is registered.

        What changed since the last look at what waits counts, unless the rest of the host is left anyway.
        """
        self._news.clear()
        if self._look_back and not stopped:
            return True
        if not self._under_way and not self.taken:
            pending = await self._sql(self._frontier.pending, self._run, [self.lease.host_id])
            if not pending.get(self.lease.host_id):
                return False
        self.resting = not self._under_way
        await self._news.wait()
        self.resting = False
        return True
