"""Accept what the gate held back: make the rows of the crawl run again from its archive, and publish them in spite of what failed.

Rows that break an expectation of severity `warning` go to quarantine all the same. The stages are those of every process run; the rows
come from segments that are published already, so their records get new outcomes in the same commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from processing.publish.gate import gate_run, read_gate_mark
from processing.publish.publish import complete_last_published, publish_run
from processing.publish.replacing import replaced_runs
from processing.publish.report import RunReport
from processing.resolve.resolution import read_resolve_mark, reread_changed, resolve_run
from processing.resources import PLAIN_ARTICLES, Resources, current_configuration, current_datasets, open_resources
from processing.stages import extract, segments
from runtime.code_version import code_version
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.errors import ConfigError, ConflictError
from schemas.runs import ProcessRun, Replacement, RunKind, config_hash, replacing_run_id
from storage.lake.commit import repair_publications
from storage.lake.reader.lake_file import refresh_lake_file
from storage.ledger.held import ACCEPTED, Held, held_of
from storage.warc.removed_segments import read_removed

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The datasets whose rows were accepted, with the report of the process run; no report if they were accepted before."""

    datasets: tuple[str, ...]
    report: RunReport | None
    before: tuple[Held, ...] = ()


def accept(
    crawl_run: str, dataset: str | None, decided_by: str, reason: str, settings: Settings, progress: Progress = lambda _: None
) -> Accepted:
    """Publish what is held back of a crawl run: of one dataset, or of all.

    Accepting again changes nothing. Raises NotFoundError if nothing is held back, ConflictError if somebody has discarded it or the run's
    segments are removed, ConfigError for a dataset without a definition, GateError.
    """
    with open_resources(settings) as resources:
        repair_publications(resources.lake, resources.ledger)  # an acceptance that died after its commit
        _complete(crawl_run, resources)
        found = held_of(resources.ledger.database, crawl_run, dataset)
        waiting = [one for one in found if one.decision is None]
        if not waiting:
            return _decided_before(found)
        _refuse_part(crawl_run, dataset, resources)
        _refuse_removed(crawl_run, resources)
        run = resources.ledger.add_process_run(_planned(crawl_run, waiting, decided_by, reason, settings, resources))
        names = segments(run.process_run, settings)
    for number, segment in enumerate(names, 1):
        progress(f"extract {number}/{len(names)}")
        extract(run.process_run, segment, settings)
    with open_resources(settings) as resources:
        progress("judge and publish")
        report = _published(run, names, resources, list(map(str, settings.module_folders())))
    refresh_lake_file(settings)
    return Accepted(tuple(one.dataset for one in waiting), report)


def _complete(crawl_run: str, resources: Resources) -> None:
    """Enter what the crawl's last published run holds back, if its process died before."""
    last = resources.ledger.last_process_run(crawl_run)
    if last is not None:
        complete_last_published(resources.ledger.process_run(last).crawl.name, resources.store, resources.lake, resources.ledger)


def _refuse_part(crawl_run: str, dataset: str | None, resources: Resources) -> None:
    """Raise ConfigError if one dataset is to be accepted of a crawl run that was rolled back: its captures have no rows at all."""
    if dataset is not None and not replaced_runs((crawl_run,), resources.lake):
        raise ConfigError(f"{crawl_run} was rolled back as a whole, so it is accepted as a whole. Leave out --dataset.")


def _refuse_removed(crawl_run: str, resources: Resources) -> None:
    """Raise ConflictError if the segments are removed: the run was rolled back after that, for good."""
    if read_removed(resources.store).covers(crawl_run):
        raise ConflictError(
            f"The segments of {crawl_run} are removed (`retention` in the crawl's file), so its rows cannot be made again. "
            f"`crawlhouse gate discard {crawl_run}` leaves them out for good."
        )


def _published(run: ProcessRun, names: Sequence[str], resources: Resources, folders: Sequence[str]) -> RunReport:
    store, lake, ledger = resources.store, resources.lake, resources.ledger
    mark = read_resolve_mark(store, run.process_run) or resolve_run(run, names, store, lake, ledger)
    if read_gate_mark(store, run.process_run, mark.base.key()) is None:
        gate_run(run, mark, store, lake, ledger, folders)
    reread_changed(run, store, lake, ledger)
    return publish_run(run, names, store, lake, ledger, code_version(), folders)


def _planned(crawl_run: str, waiting: Sequence[Held], decided_by: str, reason: str, settings: Settings, resources: Resources) -> ProcessRun:
    """The process run that publishes them, under the configuration of today. What was fetched keeps the crawl's name of then."""
    pinned = resources.ledger.crawl_run(crawl_run).crawl
    crawl = current_configuration(waiting[0].crawl, settings, pinned).model_copy(update={"name": pinned.name})
    known = {PLAIN_ARTICLES.name: PLAIN_ARTICLES}
    known |= {one.name: one for one in current_datasets(crawl, (crawl_run,), settings, resources)}
    datasets = tuple(known.get(one.dataset) or _pinned(one, resources) for one in waiting)
    rolled_back = resources.ledger.last_process_run(crawl_run)
    replaced = replaced_runs((crawl_run,), resources.lake) or ((rolled_back,) if rolled_back is not None else ())
    replacement = Replacement(RunKind.ACCEPT, replaced, decided_by, reason)
    config, code = config_hash(crawl, datasets), code_version()
    name = replacing_run_id(replacement, [one.dataset for one in waiting], (crawl_run,), code, config)
    memory = resources.ledger.memory_version(crawl.name)
    return ProcessRun(name, crawl, (crawl_run,), code, config, memory, None, datasets, replacement)


def _pinned(held: Held, resources: Resources) -> Dataset:
    """The definition by which the rows were made that are held back."""
    datasets = resources.ledger.process_run(held.process_run).datasets if held.process_run is not None else ()
    for dataset in datasets:
        if dataset.name == held.dataset:
            return dataset
    raise ConfigError(f"The dataset {held.dataset!r} has no definition any more. Write {held.dataset}.yaml again, or discard its rows.")


def _decided_before(found: Sequence[Held]) -> Accepted:
    discarded = [one for one in found if one.decision != ACCEPTED]
    if discarded:
        one = discarded[0]
        why = f" ({one.decision_reason})" if one.decision_reason else ""
        raise ConflictError(
            f"The rows of {one.dataset} of {one.crawl_run} were {one.decision} by {one.decided_by}{why}. "
            f"`crawlhouse reprocess {one.crawl} --run {one.crawl_run}` makes them again."
        )
    return Accepted(tuple(one.dataset for one in found), None, tuple(found))
