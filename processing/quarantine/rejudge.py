"""Judge rows of quarantine again by themselves, when the rules by which they were judged have changed.

It happens in each process run of a crawl, before its new pages are decided on: a page that has not changed since is then known, or stays in
quarantine by the rules of today.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

from processing.known.known_lake import open_known
from processing.publish.rules import rules_of
from processing.quarantine.decisions import CHUNK_ROWS, Chunk, Settled, definitions_of, judged_rows, settle_chunk
from processing.quarantine.selection import Place, QuarantineFilter, find_rows, judging_runs, read_whole
from processing.quarantine.settlement import Decision
from processing.resources import PLAIN_ARTICLES, Resources
from schemas.config.settings import Settings
from schemas.errors import GateError
from schemas.numbers import plural
from schemas.runs import ProcessRun, RunKind
from storage.lake.takedown import read_takedowns

LOG = logging.getLogger(__name__)


def rejudge(run: ProcessRun, settings: Settings, resources: Resources) -> Settled:
    """Judge the rows again that the crawl has in quarantine for the run's datasets, where the run's rules are others than theirs.

    Each is then in quarantine by the rules of today, or no more; doing it again changes nothing. If they cannot be judged, as when the
    process of the expectations ends before its time, they stay as they are.
    """
    settled = Settled()
    decision = Decision(RunKind.REJUDGE, run.code_version)
    places = sorted(_outdated(run, resources), key=str)
    for first in range(0, len(places), CHUNK_ROWS):
        rows = list(read_whole(resources.lake, places[first : first + CHUNK_ROWS]).values())
        chunk = Chunk(run.crawl, definitions_of(rows, run.datasets or (PLAIN_ARTICLES,), resources), rows)
        try:
            settle_chunk(chunk, partial(judged_rows, settings=settings, resources=resources), decision, resources, settled)
        except GateError as error:
            LOG.warning("Nothing is changed in %s of quarantine: %s", plural(len(rows), "row"), error)
    if settled.outcomes:
        found = ", ".join(f"{count:,} {name}" for name, count in settled.outcomes.items())
        LOG.info("Rows of quarantine were judged again by the rules of today: %s", found)
    return settled


def _outdated(run: ProcessRun, resources: Resources) -> Iterator[Place]:
    """The rows that other rules have judged."""
    now = rules_of(run)
    judging = {(name, dataset) for name, dataset in judging_runs(resources.lake, run.crawl.name) if dataset in now}
    before = open_known(resources.lake, resources.store).rules({name for name, _ in judging})
    others = {(name, dataset) for name, dataset in judging if before.get(name, {}).get(dataset) != now[dataset]}
    if others:
        hidden = read_takedowns(resources.store)
        for row in find_rows(resources.lake, QuarantineFilter(crawl=run.crawl.name), hidden):
            if (row.process_run, row.dataset) in others:
                yield row.place
