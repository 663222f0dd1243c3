"""Settling an exchange: what it gave goes to the archive and the frontier, and its URL is marked or asked for again."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from schemas.capture import Capture, UrlKind
from schemas.outcomes import FetchOutcome, Reason
from spiders.discover.response import Answer, has_body_to_read, question_about, read_head, with_kind, with_reading
from spiders.download.failure import FetchFailedError
from spiders.messages.wire import Reply
from spiders.permission.optouts import SILENT
from spiders.reading.reader import Unread
from spiders.session.fetch import Fetch
from spiders.session.results import answered_mark, failed_mark, refused_mark, retry_after, revisited, temporary
from spiders.session.yielded import NOTHING, Yielded, broken_mark, with_yielded
from spiders.spool.registrar import Source
from storage.frontier.records import DueUrl, FetchResult, Lease
from storage.index.rows import CaptureRow
from storage.urls.host_key import canonical_host

if TYPE_CHECKING:
    from spiders.session.session import FetchSession

LOG = logging.getLogger(__name__)
COUNTED = frozenset({"noindex", "nofollow", "none"})  # opt-outs that do not keep an answer out of the archive


class Settling:
    """The exchanges of a session as they come to their ends."""

    def __init__(self, session: FetchSession) -> None:
        self._session = session

    def wait_to_retry(self, fetch: Fetch, capture: Capture) -> float | None:
        """Seconds after which an answer is asked for again, None where it stands."""
        return None if self._session.stopping else temporary(capture, fetch.tries, self._session.crawl)

    def wait_to_retry_failed(self, fetch: Fetch, error: BaseException) -> float | None:
        """Seconds after which an exchange that gave no answer is tried again, None where that is final."""
        again = _failure(error).again and fetch.tries < self._session.crawl.budgets.max_retries
        return 2.0**fetch.tries if again else None

    def answered(self, fetch: Fetch, capture: Capture, yielded: Yielded = NOTHING, rendered: Capture | None = None) -> None:
        """An exchange came to its end: has it read, archives it, takes in what it found, and marks its URL or asks for another try.

        `yielded` is what a callback made of it, `rendered` what a browser did. An answer whose body cannot be read within its limits is
        archived all the same, for it was received whole; its URL failed.
        """
        due, rules = fetch.due, self._session.rules
        self._count_answer(capture)
        sent, capture = capture, replace(rendered or capture, kind=due.kind, via=due.via, depth=due.depth, hints=due.hints)
        original = sent if rendered else None
        head = read_head(capture, due.redirects, rules)
        if not has_body_to_read(capture):
            with self._session.failing():
                self._keep(fetch, capture, head, yielded, original)
            return

        def read(result: Reply | Unread) -> None:
            with self._session.failing(), self._session.readers.journal.reading(due.url_id):
                self._keep(fetch, capture, _read_answer(capture, head, result), yielded, original)

        self._session.readers.read(question_about(capture, head, rules, due.url_id), capture.body, read)

    def _keep(self, fetch: Fetch, capture: Capture, answer: Answer, yielded: Yielded, sent: Capture | None) -> None:
        """Archives an answer and settles its fetch; `sent` is what the server had sent of a rendered page."""
        due = fetch.due
        answer = with_yielded(answer, capture, due, yielded, self._session.crawl, self._session.statistics)
        reserved = self._is_reserved(answer, capture)
        row = None
        if not reserved:
            row = self._archive(fetch, with_kind(capture, answer.kind), sent)
            self._session.registrar.keep_items(row, yielded.items)
        elif yielded.items:
            self._session.statistics.refused_requests["item_of_opted_out_page"] += len(yielded.items)
        wait = self.wait_to_retry(fetch, capture)
        mark, source = None, None
        if wait is None:

            def remake(count: int) -> FetchResult:
                made = answered_mark(due, capture, replace(answer, new_items=count), row, self._session.crawl.revisit, reserved)
                return broken_mark(made, yielded.broken) if yielded.broken else made

            mark = remake(0)
            if answer.discoveries:
                source = Source(due.url, remake)
        self._session.registrar.mark(fetch.lease, mark, row, source)
        self._session.registrar.find(answer.discoveries)
        self.host_answered(fetch.lease, capture)
        self._session.settled(fetch, mark, wait, (sent or capture).latency_ms / 1000)

    def host_answered(self, lease: Lease, capture: Capture) -> None:
        """A host answered, whatever it was asked: it may say that it is too busy."""
        service = self._session.services.get(lease.host_id)
        if service is not None and canonical_host(capture.url) == lease.host:
            service.answered(capture.status, retry_after(capture, time.time()), len(capture.body))

    def _archive(self, fetch: Fetch, capture: Capture, sent: Capture | None) -> CaptureRow:
        """Archives a capture; one that a browser rendered together with what the server had sent."""
        if sent is None:
            return self._session.registrar.archive(capture, fetch.lease, revisited(capture, fetch.due))
        shell = replace(sent, kind=UrlKind.UNRENDERED, via=capture.via, depth=capture.depth, hints=capture.hints)
        return self._session.registrar.archive_rendered(shell, capture, fetch.lease)

    def _is_reserved(self, answer: Answer, capture: Capture) -> bool:
        """Whether the answer may not be kept; counts what its owner reserves, also where the crawl only records that."""
        if answer.opt_outs is SILENT:
            return False
        reserved = answer.opt_outs.reserved(capture.fetched_at)
        words = set(answer.opt_outs.directives.words & COUNTED) | ({reserved} if reserved else set())
        self._session.statistics.opt_outs.update(words)
        return reserved is not None and self._session.crawl.politeness.opt_outs == "obey"

    def failed(self, fetch: Fetch, error: BaseException, yielded: Yielded = NOTHING) -> None:
        """An exchange gave no answer: asks for another try, or marks its URL. What we broke off ourselves stays due."""
        failure = _failure(error)
        self._session.statistics.errors += 1
        self._session.statistics.host(fetch.lease.host).errors += 1
        if self._session.stopping and failure.again:
            self._session.let_go(fetch)
            return
        wait = self.wait_to_retry_failed(fetch, error)
        mark = failed_mark(fetch.due, failure, self._session.crawl.revisit, time.time()) if wait is None else None
        self._session.registrar.mark(fetch.lease, mark)
        self._session.registrar.find(yielded.found)
        self._session.settled(fetch, mark, wait, 0.0)

    def refuse(self, due: DueUrl, lease: Lease, outcome: FetchOutcome, reason: Reason) -> None:
        """Marks a URL that is not to be fetched."""
        self._session.registrar.mark(lease, refused_mark(due, outcome, reason, self._session.crawl.revisit, time.time()))

    def _count_answer(self, capture: Capture) -> None:
        self._session.statistics.responses += 1
        self._session.statistics.bytes += len(capture.body)
        self._session.statistics.statuses[str(capture.status)] += 1


def _read_answer(capture: Capture, head: Answer, result: Reply | Unread) -> Answer:
    """The answer with what came of its body."""
    if isinstance(result, Unread):
        LOG.warning("%s cannot be read: %s, %s", capture.url, result.reason, result.detail)
        return replace(head, kind=capture.kind, unread=result.reason)
    assert result.reading is not None
    return with_reading(capture, head, result.reading)


def _failure(error: BaseException) -> FetchFailedError:
    return error if isinstance(error, FetchFailedError) else FetchFailedError(Reason.CONNECTION, repr(error), again=True)
