"""The stages of processing: plan, extract every segment, resolve, gate, publish. Each can run again and changes nothing then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from processing.extract.extraction import extract_segment
from processing.extract.rule_check import check_rules
from processing.publish.gate import gate_run, read_gate_mark
from processing.publish.publish import complete_last_published, half_published, publish_run, refuse_other_code
from processing.publish.report import RunReport
from processing.resolve.resolution import ResolveMark, pinned_containers, read_resolve_mark, reread_changed, resolve_run
from processing.workers.heap import bound_heap, trim_heap
from runtime.code_version import code_version
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.errors import ConflictError, NotFoundError
from schemas.keys import extracted_key
from schemas.manifest import Segment
from schemas.runs import ProcessRun, config_hash, process_run_id
from storage.frontier.manifests import complete_manifest
from storage.lake.lake import Lake, open_lake
from storage.lake.publishing import repair_marks
from storage.ledger.ledger import Ledger, open_ledger
from storage.objects.open import open_store
from storage.objects.store import ObjectStore


def plan(crawl_name: str, settings: Settings) -> ProcessRun | None:
    """The process run for every closed, unpublished crawl run of a crawl; None when there is none.

    A process run of this crawl that an earlier release published by half comes first. A run that was planned by other code is left
    as it is, and its crawl runs are planned anew. The configuration is the crawl file's of now, or, when that is gone, the one of the
    latest crawl run.
    """
    with _open_resources(settings) as resources:
        repair_marks(resources.lake, resources.ledger)
        complete_last_published(crawl_name, resources.store, resources.lake, resources.ledger)
        for half_done in half_published(resources.lake, resources.ledger):
            if half_done.crawl.name == crawl_name:
                return half_done
        crawl_runs = tuple(sorted(resources.ledger.closed_unpublished(crawl_name)))
        if not crawl_runs:
            return None
        for crawl_run in crawl_runs:
            complete_manifest(crawl_run, resources.ledger, resources.store)
        crawl = _configuration(crawl_name, settings, resources.ledger.crawl_run(crawl_runs[-1]).crawl)
        inputs = (code_version(), config_hash(crawl), resources.ledger.memory_version(crawl_name), resources.lake.snapshot_id("articles"))
        return resources.ledger.add_process_run(ProcessRun(process_run_id(crawl_runs, *inputs), crawl, crawl_runs, *inputs))


def segments(process_run: str, settings: Settings) -> list[str]:
    """The names of the segments that a process run extracts, sorted."""
    with _open_resources(settings) as resources:
        return sorted(_segments(resources.ledger.process_run(process_run), resources.ledger))


def extract(process_run: str, segment: str, settings: Settings) -> str:
    """Stage the rows of one segment; the key of what was staged. A segment that is staged already is left as it is.

    Raises ConflictError, as every stage that has work to do, when other code planned the run.
    """
    with _open_resources(settings) as resources:
        run = resources.ledger.process_run(process_run)
        key = extracted_key(process_run, segment)
        if resources.store.info(key) is None:
            refuse_other_code(run, code_version())
            found = _segments(run, resources.ledger).get(segment)
            if found is None:
                raise NotFoundError(f"The process run {process_run} has no segment {segment!r}.")
            extract_segment(resources.store, found, run.crawl, key, pinned_containers(run, resources.store))
        return key


def resolve(process_run: str, settings: Settings) -> None:
    """Clean, measure and decide on all staged rows of a process run. Raises ConflictError while a segment is not extracted."""
    with _open_resources(settings) as resources:
        if read_resolve_mark(resources.store, process_run) is None:
            run = resources.ledger.process_run(process_run)
            refuse_other_code(run, code_version())
            resolve_run(run, list(_segments(run, resources.ledger)), resources.store, resources.lake, resources.ledger)


def gate(process_run: str, settings: Settings) -> None:
    """Split off the quarantine and judge the rest. Raises GateError, AccountingError; ConflictError before resolve."""
    with _open_resources(settings) as resources:
        mark = read_resolve_mark(resources.store, process_run)
        if mark is None:
            raise ConflictError(f"{process_run} is not resolved yet. Run resolve before gate.")
        run = resources.ledger.process_run(process_run)
        if _is_gated(run, mark, resources):
            return
        refuse_other_code(run, code_version())
        gate_run(run, mark, resources.store, resources.ledger)


def publish(process_run: str, settings: Settings) -> RunReport:
    """Commit a gated process run to the lake, once, and report. Raises ConflictError, AccountingError, GateError."""
    with _open_resources(settings) as resources:
        run = resources.ledger.process_run(process_run)
        reread_changed(run, resources.store, resources.lake, resources.ledger)  # before the lock: no page is read under it
        return publish_run(run, list(_segments(run, resources.ledger)), resources.store, resources.lake, resources.ledger, code_version())


def process_once(crawl_name: str, settings: Settings, progress: Callable[[str], None] = lambda _: None) -> RunReport | None:
    """All stages for what a crawl has closed and not published; None when there is nothing.

    `progress` is told a line before each step.
    """
    run = plan(crawl_name, settings)
    if run is None:
        return None
    names = segments(run.process_run, settings)
    for number, segment in enumerate(names, 1):
        progress(f"extract {number}/{len(names)}")
        extract(run.process_run, segment, settings)
    for name, stage in (("resolve", resolve), ("gate", gate)):
        progress(name)
        stage(run.process_run, settings)
    progress("publish")
    return publish(run.process_run, settings)


@dataclass(frozen=True, slots=True)
class _Resources:
    store: ObjectStore
    ledger: Ledger
    lake: Lake


@contextmanager
def _open_resources(settings: Settings) -> Iterator[_Resources]:
    bound_heap()
    with ExitStack() as stack:
        stack.callback(trim_heap)  # what one stage needed is not there for the next one to add to
        ledger = open_ledger(settings)
        stack.callback(ledger.close)
        yield _Resources(open_store(settings), ledger, stack.enter_context(open_lake(settings)))


def _is_gated(run: ProcessRun, mark: ResolveMark, resources: _Resources) -> bool:
    """Whether the gate has nothing to do: what is resolved has passed it, or an earlier release has begun to publish it."""
    if read_gate_mark(resources.store, run.process_run, mark.base.key()) is not None:
        return True
    return any(half_done.process_run == run.process_run for half_done in half_published(resources.lake, resources.ledger))


def _segments(run: ProcessRun, ledger: Ledger) -> dict[str, Segment]:
    """The segments of the manifests: the only list of what belongs to a crawl run."""
    return {segment.segment: segment for crawl_run in run.crawl_runs for segment in ledger.manifest(crawl_run).segments}


def _configuration(crawl_name: str, settings: Settings, pinned: Crawl) -> Crawl:
    path = settings.crawls / f"{crawl_name}.yaml"
    try:
        crawl = read_crawl(path)
    except NotFoundError:
        return pinned
    check_rules(crawl, path)
    return crawl
