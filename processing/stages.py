"""The stages of processing, in order: plan, extract (once per segment), resolve, gate, publish. Running a stage again changes nothing.

Before: `spiders.run` has closed crawl runs, with segments in the store and a manifest in the ledger. Each stage leaves what it made in the
store (`processing.staging`), under the name of the process run. After: `publish` commits the rows to the lake, where readers see them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from processing.extract.extraction import extract_segment
from processing.extract.outdated_revisits import outdated_in, stage_outdated
from processing.extract.page_tasks import ARTICLES_ALONE
from processing.known.known_lake import open_known
from processing.publish.gate import gate_run, read_gate_mark
from processing.publish.publish import complete_last_published, half_published, publish_run, refuse_other_code
from processing.publish.report import RunReport
from processing.publish.table_events import TableEvent, table_events
from processing.quarantine.rejudge import rejudge
from processing.resolve.replaced import read_selection
from processing.resolve.resolution import ResolveMark, pinned_containers, read_resolve_mark, reread_changed, resolve_run
from processing.resources import Resources, current_configuration, current_datasets, open_resources
from processing.workers.pool import kept_workers
from runtime.code_version import code_version
from schemas.config.settings import Settings
from schemas.errors import ConflictError, NotFoundError
from schemas.keys import extracted_key
from schemas.manifest import Segment
from schemas.numbers import plural
from schemas.runs import ProcessRun, config_hash, process_run_id
from storage.frontier.manifests import complete_manifest
from storage.lake.commit import repair_publications
from storage.lake.reader.lake_file import refresh_lake_file
from storage.ledger.ledger import Ledger, open_ledger
from storage.ledger.pending import is_all_processed

LOG = logging.getLogger(__name__)
MAX_RECORDS = 50_000  # of crawl runs that are processed together: what is decided on a record takes some 4 kB of memory


def plan(crawl_name: str, settings: Settings) -> ProcessRun | None:
    """Plan one process run for the closed, unpublished crawl runs of a crawl; None when there are none.

    Of a backlog it takes the oldest crawl runs, of together MAX_RECORDS records at most, or a single larger one. The next plan goes on.
    First comes a process run of this crawl that an earlier release published to some tables only. A run that other code planned stays as it
    is; its crawl runs are planned again with this code. The configuration comes from the crawl's file, or from the latest crawl run when
    the file is gone.
    """
    if is_all_processed(crawl_name, settings):
        return None
    with open_resources(settings) as resources:
        repair_publications(resources.lake, resources.ledger)
        complete_last_published(crawl_name, resources.store, resources.lake, resources.ledger)
        for half_done in half_published(resources.lake, resources.ledger):
            if half_done.crawl.name == crawl_name:
                return half_done
        crawl_runs = _first_portion(sorted(resources.ledger.closed_unpublished(crawl_name)), resources)
        if not crawl_runs:
            return None
        crawl = current_configuration(crawl_name, settings, resources.ledger.crawl_run(crawl_runs[-1]).crawl)
        datasets = current_datasets(crawl, crawl_runs, settings, resources)
        memory_version, base = resources.ledger.memory_version(crawl_name), resources.lake.snapshot_id("articles")
        inputs = (code_version(), config_hash(crawl, datasets), memory_version, base)
        run = resources.ledger.add_process_run(ProcessRun(process_run_id(crawl_runs, *inputs), crawl, crawl_runs, *inputs, datasets))
        _stage_outdated(run, resources)
        return run


def is_backlog_left(process_run: str, settings: Settings) -> bool:
    """Whether the crawl of a process run has closed crawl runs that are not published yet."""
    ledger = open_ledger(settings)
    try:
        return bool(ledger.closed_unpublished(ledger.process_run(process_run).crawl.name))
    finally:
        ledger.close()


def segments(process_run: str, settings: Settings) -> list[str]:
    """The names of the segments that a process run extracts, sorted."""
    with open_resources(settings) as resources:
        return sorted(_segments(resources.ledger.process_run(process_run), resources.ledger))


def extract(process_run: str, segment: str, settings: Settings) -> str:
    """Stage the rows of one segment and return their key. A segment that is staged already is not read again.

    Raises ConflictError when there is work to do and other code planned the run. So do all stages.
    """
    with open_resources(settings) as resources:
        run = resources.ledger.process_run(process_run)
        key = extracted_key(process_run, segment)
        if resources.store.info(key) is None:
            refuse_other_code(run, code_version())
            found = _segments(run, resources.ledger).get(segment)
            if found is None:
                raise NotFoundError(f"The process run {process_run} has no segment {segment!r}.")
            _extract(run, found, key, settings, resources)
            LOG.info("%s of the segment %s are read", plural(found.records, "record"), segment)
        else:
            LOG.info("The segment %s was read before", segment)
        return key


def resolve(process_run: str, settings: Settings) -> None:
    """Clean all staged rows of a process run and decide their outcomes. Raises ConflictError while a segment is not extracted.

    Rows in quarantine that other rules have judged are judged again before.
    """
    with open_resources(settings) as resources:
        if read_resolve_mark(resources.store, process_run) is None:
            run = resources.ledger.process_run(process_run)
            refuse_other_code(run, code_version())
            rejudge(run, settings, resources)
            resolve_run(run, list(_segments(run, resources.ledger)), resources.store, resources.lake, resources.ledger)


def gate(process_run: str, settings: Settings) -> None:
    """Judge the rows and make those of each table. Raises GateError, AccountingError; ConflictError before resolve."""
    with open_resources(settings) as resources:
        mark = read_resolve_mark(resources.store, process_run)
        if mark is None:
            raise ConflictError(f"{process_run} is not resolved yet. Run resolve before gate.")
        run = resources.ledger.process_run(process_run)
        if _is_gated(run, mark, resources):
            return
        refuse_other_code(run, code_version())
        gate_run(run, mark, resources.store, resources.lake, resources.ledger, _module_folders(settings))


def publish(process_run: str, settings: Settings) -> RunReport:
    """Commit a process run that has passed the gate to the lake, once; its report. Raises ConflictError, AccountingError, GateError."""
    with open_resources(settings) as resources:
        run = resources.ledger.process_run(process_run)
        reread_changed(run, resources.store, resources.lake, resources.ledger)  # before the lock is taken: it reads pages
        names, folders = list(_segments(run, resources.ledger)), _module_folders(settings)
        report = publish_run(run, names, resources.store, resources.lake, resources.ledger, code_version(), folders)
    refresh_lake_file(settings)
    return report


def published_tables(report: RunReport, settings: Settings) -> dict[str, TableEvent]:
    """What is told about each table of a crawl's datasets after a publish."""
    with open_resources(settings) as resources:
        run = resources.ledger.process_run(report.process_run)
        return table_events(report, resources.ledger.commits(run.process_run), run.crawl.datasets)


def process_once(crawl_name: str, settings: Settings, progress: Callable[[str], None] = lambda _: None) -> RunReport | None:
    """Run all stages for the closed, unpublished crawl runs of a crawl that `plan` takes; None when there are none.

    `progress` is called with a line of text before each step.
    """
    run = plan(crawl_name, settings)
    if run is None:
        return None
    names = segments(run.process_run, settings)
    with kept_workers():
        for number, segment in enumerate(names, 1):
            progress(f"extract {number}/{len(names)}")
            extract(run.process_run, segment, settings)
    for name, stage in (("resolve", resolve), ("gate", gate)):
        progress(name)
        stage(run.process_run, settings)
    progress("publish")
    return publish(run.process_run, settings)


def _first_portion(crawl_runs: Sequence[str], resources: Resources) -> tuple[str, ...]:
    """The first of these crawl runs that are processed together."""
    chosen: list[str] = []
    records = 0
    for crawl_run in crawl_runs:
        manifest = complete_manifest(crawl_run, resources.ledger, resources.store)
        records += sum(segment.records for segment in manifest.segments)
        if chosen and records > MAX_RECORDS:
            break
        chosen.append(crawl_run)
    return tuple(chosen)


def _stage_outdated(run: ProcessRun, resources: Resources) -> None:
    store, lake = resources.store, resources.lake
    stage_outdated(run, list(_segments(run, resources.ledger).values()), store, lake, lambda: open_known(lake, store).published_runs())


def _extract(run: ProcessRun, segment: Segment, key: str, settings: Settings, resources: Resources) -> None:
    store, containers = resources.store, pinned_containers(run, resources.store)
    _stage_outdated(run, resources)
    outdated = outdated_in(run, segment.segment, store)
    selected = read_selection(run, store)
    offsets = None if selected is None else frozenset(selected.get(segment.warc_key, ()))
    if not run.own_datasets:
        again = dict.fromkeys(outdated, ARTICLES_ALONE)
        extract_segment(store, segment, run.crawl, key, containers, again=again, offsets=offsets)
        return
    from processing.extract.segment_rows import SegmentRows  # most crawls have plain articles, and need nothing of what makes other rows

    with SegmentRows(store, run, segment, _module_folders(settings), outdated, offsets) as rows:
        extract_segment(store, segment, run.crawl, key, containers, rows, offsets=offsets)


def _module_folders(settings: Settings) -> list[str]:
    return [str(folder) for folder in settings.module_folders()]


def _is_gated(run: ProcessRun, mark: ResolveMark, resources: Resources) -> bool:
    """Whether the gate has nothing to do: the run has passed it, or an earlier release has begun to publish it."""
    if read_gate_mark(resources.store, run.process_run, mark.base.key()) is not None:
        return True
    return any(half_done.process_run == run.process_run for half_done in half_published(resources.lake, resources.ledger))


def _segments(run: ProcessRun, ledger: Ledger) -> dict[str, Segment]:
    """The segments in the manifests by name. No other list says what belongs to a crawl run."""
    return {segment.segment: segment for crawl_run in run.crawl_runs for segment in ledger.manifest(crawl_run).segments}
