"""Make a crawl's site memory again without the pages of some crawl runs.

A memory cannot forget pages. So it is the version from before those crawl runs were processed, and the pages of the runs that came after
are learned again from the archive. To roll back the newest run costs nothing. Pages whose segments are removed are not learned again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from processing.clean.memory_file import learned_memory, read_containers, write_memory
from processing.extract.extraction import extract_segment
from processing.resources import Resources
from processing.staging.bucket_parts import parts_of
from schemas.keys import extracted_key, memory_key, staged_memory_key
from schemas.numbers import plural
from schemas.runs import ProcessRun, RunKind
from storage.warc.removed_segments import read_removed

Progress = Callable[[str], None]
LOG = logging.getLogger(__name__)


def stage_remaining_memory(run: ProcessRun, resources: Resources, progress: Progress = lambda _: None) -> None:
    """Stage the crawl's next site memory, without the crawl runs of a process run. Publishing makes it the current one."""
    store, current = resources.store, resources.ledger.memory_version(run.crawl.name)
    staged = staged_memory_key(run.process_run, current)
    if not run.crawl.articles.site_memory or not current or store.info(staged) is not None:
        return
    version = _version_before(run, resources)
    base = memory_key(run.crawl.name, version) if version else None
    if base is not None and store.info(base) is None:
        version, base = 0, None
    keys = _extracted(run, version, base, resources, progress)
    write_memory(store, staged, learned_memory(store, base, keys, parts_of(store, keys)))


def _version_before(run: ProcessRun, resources: Resources) -> int:
    """The newest version that surely has no page of the crawl runs: the one that they were first planned with."""
    ledger = resources.ledger
    found = [ledger.process_run(name) for crawl_run in run.crawl_runs for name in ledger.process_runs_of(crawl_run)]
    return min((one.memory_version for one in found if one.kind is RunKind.PROCESS), default=0)


def _extracted(run: ProcessRun, version: int, base: str | None, resources: Resources, progress: Progress) -> list[str]:
    """The staged rows of the crawl runs that remain and whose pages that version may lack; their keys."""
    store, ledger = resources.store, resources.ledger
    containers = read_containers(store, base)
    keys: list[str] = []
    removed, unread = read_removed(store), list[str]()
    for crawl_run in (one.crawl_run for one in ledger.crawl_runs(run.crawl.name, "closed")):
        made = [ledger.process_run(name) for name in ledger.process_runs_of(crawl_run)]
        if crawl_run in run.crawl_runs or not made or made[-1].kind is RunKind.ROLLBACK:
            continue
        if all(one.memory_version < version for one in made):
            continue
        if removed.covers(crawl_run):
            unread.append(crawl_run)
            continue
        for segment in ledger.manifest(crawl_run).segments:
            key = extracted_key(run.process_run, segment.segment)
            if store.info(key) is None:
                progress(f"read {segment.segment}")
                extract_segment(store, segment, run.crawl, key, containers)
            keys.append(key)
    if unread:
        runs = plural(len(unread), "crawl run")
        LOG.warning("The site memory is made again without %s whose segments are removed, up to %s.", runs, unread[-1])
    return keys
