"""What a worker did so far, reported to the frontier once a second for those who watch the run."""

from __future__ import annotations

import time

from spiders.session.context import FetchContext

REPORT_SECONDS = 1.0


class ProgressReport:
    """The counts of responses, bytes and errors that were reported last."""

    def __init__(self, context: FetchContext) -> None:
        self._context = context
        self._reported = (0, 0, 0)
        self._reported_at = 0.0

    async def send_if_due(self) -> None:
        """Report what is new, at most every REPORT_SECONDS."""
        if time.monotonic() - self._reported_at >= REPORT_SECONDS:
            await self.send()

    async def send(self) -> None:
        """Report what is new."""
        context, statistics = self._context, self._context.statistics
        counts = (statistics.responses, statistics.bytes, statistics.errors)
        if counts != self._reported:
            answers, received, errors = (new - old for new, old in zip(counts, self._reported, strict=True))
            self._reported, self._reported_at = counts, time.monotonic()
            await context.database.run(context.frontier.report, context.run.crawl_run, context.worker, answers, received, errors)
