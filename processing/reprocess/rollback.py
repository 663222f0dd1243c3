"""Take the rows of published crawl runs out of the lake, as if the runs had not been published.

Rows of other crawl runs stay as they are: versions keep their numbers, and a duplicate keeps the name of its original. The site memory is
made again from the crawl runs that remain. What is taken out is held until `crawlhouse reprocess` or `crawlhouse gate accept`, which make
the rows again from the archive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyiceberg.expressions import In

from processing.publish.accounting import RunCounts
from processing.publish.commit_run import RunChange, RunRow, TableChange, commit_run, new_stamp
from processing.publish.publish import ATTEMPTS, complete, complete_last_published, publisher
from processing.publish.replacing import replaced_runs
from processing.publish.report import HELD, RunReport
from processing.reprocess.relearning import stage_remaining_memory
from processing.reprocess.selection import PROCESS_RUN
from processing.resources import Resources, open_resources
from runtime.code_version import code_version
from runtime.failpoint import reached
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.errors import ConfigError, ConflictError, LakeMovedError, NotFoundError
from schemas.runs import ProcessRun, Replacement, RunKind, config_hash, replacing_run_id
from storage.lake.commit import repair_publications
from storage.lake.lake import Lake
from storage.lake.reader.lake_file import refresh_lake_file
from storage.lake.removal import of_values
from storage.ledger.ledger import Ledger
from storage.warc.removed_segments import read_removed

LOG = logging.getLogger(__name__)
OF_WHOLE_RUNS = frozenset({RunKind.PROCESS, RunKind.ACCEPT, RunKind.REPROCESS})

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The crawl runs whose rows are taken out, with the datasets that are held. `is_new` is false if that was done before."""

    crawl_runs: tuple[str, ...]
    datasets: tuple[str, ...]
    report: RunReport
    is_new: bool = True


def rollback(
    run: str, decided_by: str, reason: str, settings: Settings, progress: Progress = lambda _: None, for_good: bool = False
) -> RolledBack:
    """Take the rows of a crawl run out, or those of all crawl runs of a process run. Doing it again changes nothing.

    Raises NotFoundError for an unknown run, ConflictError for one that is not published, whose rows others have replaced, or whose rows
    could not be made again because its segments are removed (unless `for_good`), ConfigError for a process run that settled single rows.
    """
    with open_resources(settings) as resources:
        repair_publications(resources.lake, resources.ledger)
        crawl_runs = _crawl_runs(run, resources.ledger)
        replaced = replaced_runs(crawl_runs, resources.lake)
        if not replaced:
            return _done_before(crawl_runs, resources)
        if PROCESS_RUN.fullmatch(run) and run not in replaced:
            raise ConflictError(f"The rows of {run} were replaced by {', '.join(replaced)}. Name that one, or a crawl run.")
        if not for_good:
            _refuse_removed(crawl_runs, resources)
        planned = resources.ledger.add_process_run(_planned(crawl_runs, replaced, decided_by, reason, resources))
        stage_remaining_memory(planned, resources, progress)  # before the lock is taken: it reads pages
        progress("take out the rows")
        report = complete(planned, _commit(planned, resources), resources.store, resources.ledger)
    refresh_lake_file(settings)
    return RolledBack(crawl_runs, _names(planned), report)


def _crawl_runs(run: str, ledger: Ledger) -> tuple[str, ...]:
    if not PROCESS_RUN.fullmatch(run):
        crawl = ledger.crawl_run(run).crawl.name
        if run in ledger.closed_unpublished(crawl) or ledger.last_process_run(run) is None:
            raise ConflictError(f"{run} is not published: there is nothing to take out.")
        return (run,)
    process_run = ledger.process_run(run)
    is_selection = process_run.replacement is not None and process_run.replacement.is_selection
    if process_run.kind not in OF_WHOLE_RUNS or is_selection:
        raise ConfigError(
            f"{run} ({process_run.kind}) has rows of single records of {', '.join(process_run.crawl_runs)}, and only whole crawl runs can "
            "be rolled back. Name a crawl run."
        )
    if ledger.published_at(run) is None:
        raise ConflictError(f"{run} is not published: there is nothing to take out.")
    return process_run.crawl_runs


def _refuse_removed(crawl_runs: tuple[str, ...], resources: Resources) -> None:
    """Raise ConflictError if rows would be lost for good: their segments are not kept any more."""
    removed = read_removed(resources.store)
    names = [name for name in crawl_runs if removed.covers(name)]
    if names:
        raise ConflictError(
            f"The segments of {', '.join(names)} are removed (`retention` in the crawl's file), so the rows could never be made again. "
            "Nothing was changed. `crawlhouse rollback --for-good` takes them out all the same."
        )


def _done_before(crawl_runs: tuple[str, ...], resources: Resources) -> RolledBack:
    last = resources.ledger.last_process_run(crawl_runs[0])
    run = None if last is None else resources.ledger.process_run(last)
    if run is None or run.kind is not RunKind.ROLLBACK:
        raise NotFoundError(f"The lake has no rows of {', '.join(crawl_runs)}: there is nothing to take out.")
    with publisher(resources.store, resources.lake, resources.ledger):  # its process may have died before the end
        complete_last_published(run.crawl.name, resources.store, resources.lake, resources.ledger)
        report = complete(run, resources.lake.run_rows(run.process_run), resources.store, resources.ledger)
    return RolledBack(crawl_runs, _names(run), report, is_new=False)


def _planned(crawl_runs: tuple[str, ...], replaced: tuple[str, ...], decided_by: str, reason: str, resources: Resources) -> ProcessRun:
    """The process run. Its datasets are all that the rows are of, by the definitions of then: they are held, and may be accepted."""
    before = [resources.ledger.process_run(name) for name in replaced]
    last = resources.ledger.last_process_run(crawl_runs[-1])
    crawl = resources.ledger.process_run(last).crawl if last is not None else before[-1].crawl
    found: dict[str, Dataset] = {}
    for crawl_run in crawl_runs:
        for name in resources.ledger.process_runs_of(crawl_run):
            found |= {one.name: one for one in resources.ledger.process_run(name).judged_datasets}
    datasets = tuple(found[name] for name in sorted(found))
    datasets = () if [one.is_plain for one in datasets] == [True] else datasets
    replacement = Replacement(RunKind.ROLLBACK, replaced, decided_by, reason)
    config, code = config_hash(crawl, datasets), code_version()
    name = replacing_run_id(replacement, [], crawl_runs, code, config)
    memory = resources.ledger.memory_version(crawl.name)
    return ProcessRun(name, crawl, crawl_runs, code, config, memory, None, datasets, replacement)


def _commit(run: ProcessRun, resources: Resources) -> list[RunRow]:
    store, lake, ledger = resources.store, resources.lake, resources.ledger
    with publisher(store, lake, ledger) as token:
        if ledger.published_at(run.process_run) is not None:
            return lake.run_rows(run.process_run)
        complete_last_published(run.crawl.name, store, lake, ledger)
        for _ in range(ATTEMPTS):
            tables = lake.tables()
            if run.replacement is None or replaced_runs(run.crawl_runs, lake) != run.replacement.replaces:
                raise ConflictError(f"The rows of {', '.join(run.crawl_runs)} were replaced meanwhile. Run this again.")
            stage_remaining_memory(run, resources)  # it is there already, unless the memory has a new version
            reached("rollback.before.commit")
            change = _change(run, list(tables), lake)
            try:
                return commit_run(run, change, new_stamp(ledger), tables, token, lake, ledger)
            except LakeMovedError as error:
                LOG.warning("%s: %s It is tried again.", run.process_run, error)
    raise ConflictError("Nothing was changed: another program keeps changing the lake's tables. Stop it, then run this again.")


def _change(run: ProcessRun, names: Sequence[str], lake: Lake) -> RunChange:
    where = In("crawl_run", run.crawl_runs)  # type: ignore[call-arg]
    removed = of_values(("crawl_run",), [(crawl_run,) for crawl_run in run.crawl_runs], where)
    concerned = [name for name in names if name != "runs" and next(lake.scan(name, ["crawl_run"], where), None) is not None]
    why = f"rolled back by {run.replacement.decided_by}: {run.replacement.reason}" if run.replacement is not None else ""
    held = {HELD: dict.fromkeys(_names(run), why)}
    counts = {crawl_run: RunCounts() for crawl_run in run.crawl_runs}
    return RunChange(counts, {name: TableChange(removed=removed) for name in concerned}, notes=dict.fromkeys(run.crawl_runs, held))


def _names(run: ProcessRun) -> tuple[str, ...]:
    return tuple(dataset.name for dataset in run.judged_datasets)
