"""Plan the process runs that make rows again, one for each portion of a crawl's history.

A portion is a number of crawl runs in a row, with at most MAX_RECORDS records together unless one has more: as many as are processed at
once in a backlog. The records and texts of a portion are compared in memory, and each portion is published by itself, so that a long
history needs no more memory or time under the lock than a short one. Single records are planned by crawl run, because each is compared with
what was there before its own run. Portions are published in the order of the runs: each sees the new rows of those before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from processing.publish.publish import complete_last_published
from processing.publish.replacing import runs_to_replace
from processing.reprocess.selection import Records, Selected, capture_states, chosen_records, chosen_runs
from processing.resources import PLAIN_ARTICLES, Resources, current_configuration, current_datasets
from runtime.code_version import code_version
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.errors import ConfigError
from schemas.keys import mark_key, selection_key
from schemas.runs import CrawlRun, ProcessRun, Replacement, RunKind, config_hash, replacing_run_id
from storage.lake.commit import repair_publications
from storage.lake.maintenance import PLANNED
from storage.ledger.held import DISCARDED, list_held
from storage.ledger.ledger import Ledger
from storage.warc.removed_segments import read_removed

MAX_RECORDS = 50_000  # of a portion; chosen: as a run with 10,000 articles, whose decisions take some 100 MB


@dataclass(frozen=True, slots=True)
class Plan:
    """The process runs to make and publish, in their order. `new` are crawl runs that are not processed at all yet.

    The segments of `removed` crawl runs are not kept any more, so their rows stay as they are. `discarded` ones were rolled back, and then
    discarded: their rows are made again only if the run is named. `done` is how many crawl runs, or records,
    need nothing: today's code and rules have made their rows again already.
    """

    process_runs: tuple[ProcessRun, ...] = ()
    new: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    discarded: tuple[str, ...] = ()
    done: int = 0


@dataclass(frozen=True, slots=True)
class _Work:
    crawl: Crawl
    datasets: tuple[Dataset, ...]
    code: str
    config: str
    states: Mapping[str, frozenset[str]]
    resources: Resources


def plan(crawl_name: str, selected: Selected, settings: Settings, resources: Resources) -> Plan:
    """Plan what is to be made again, under the crawl's file of today. Planning it again gives the same, as long as nothing is published.

    Raises NotFoundError, ConflictError, ConfigError.
    """
    repair_publications(resources.lake, resources.ledger)
    complete_last_published(crawl_name, resources.store, resources.lake, resources.ledger)
    every, new = chosen_runs(crawl_name, selected, resources.ledger)
    gone = read_removed(resources.store)
    states = capture_states(crawl_name, resources.lake)
    removed = tuple(run.crawl_run for run in every if gone.covers(run.crawl_run))
    out_for_good = _discarded(crawl_name, resources.ledger) - states.keys() if selected.run is None else set()
    discarded = tuple(run.crawl_run for run in every if run.crawl_run in out_for_good)
    runs = [run for run in every if run.crawl_run not in {*removed, *discarded}]
    left_out = Plan((), tuple(new), removed, discarded)
    if not runs:
        return left_out
    crawl = current_configuration(crawl_name, settings, runs[-1].crawl).model_copy(update={"name": crawl_name})
    datasets = _chosen_datasets(current_datasets(crawl, [run.crawl_run for run in runs], settings, resources), selected, crawl)
    work = _Work(crawl, datasets, code_version(), config_hash(crawl, datasets), states, resources)
    finished = {name for names in states.values() for name in names if _is_of_today(name, work)}
    if selected.is_of_records:
        found = chosen_records(crawl_name, selected, [run.crawl_run for run in runs], finished, resources.lake)
        return replace(left_out, process_runs=tuple(_of_records(crawl_run, records, work) for crawl_run, records in found.items()))
    needed = [place for place, run in enumerate(runs) if not _is_done(states.get(run.crawl_run, frozenset()), finished)]
    chosen = runs[needed[0] : needed[-1] + 1] if needed else []  # in one piece: what is between is compared with what is made again
    last = chosen[-1].crawl_run if chosen else None
    portions = tuple(_of_runs(portion, last, work) for portion in _portions(chosen, work))
    return replace(left_out, process_runs=portions, done=len(runs) - len(chosen))


def _discarded(crawl: str, ledger: Ledger) -> set[str]:
    """The crawl runs of which everything that was held back is discarded."""
    decisions: dict[str, set[str | None]] = {}
    for held in list_held(ledger.database, crawl):
        decisions.setdefault(held.crawl_run, set()).add(held.decision)
    return {crawl_run for crawl_run, found in decisions.items() if found == {DISCARDED}}


def _chosen_datasets(datasets: tuple[Dataset, ...], selected: Selected, crawl: Crawl) -> tuple[Dataset, ...]:
    if selected.dataset is None:
        return datasets
    known = {one.name: one for one in datasets or (PLAIN_ARTICLES,)}
    if selected.dataset not in known:
        raise ConfigError(f"{crawl.name} makes no rows of {selected.dataset!r}. Its datasets are {', '.join(sorted(known))}.")
    return (known[selected.dataset],) if datasets else ()


def _is_of_today(process_run: str, work: _Work) -> bool:
    """Whether a process run has made rows again by the code and the configuration of today."""
    run = work.resources.ledger.process_run(process_run)
    return run.kind is RunKind.REPROCESS and (run.code_version, run.config_hash) == (work.code, work.config)


def _is_done(process_runs: frozenset[str], finished: set[str]) -> bool:
    return bool(process_runs) and process_runs <= finished


def _portions(runs: Sequence[CrawlRun], work: _Work) -> Iterator[list[CrawlRun]]:
    portion, records = list[CrawlRun](), 0
    for run in runs:
        count = sum(segment.records for segment in work.resources.ledger.manifest(run.crawl_run).segments)
        if portion and records + count > MAX_RECORDS:
            yield portion
            portion, records = [], 0
        portion.append(run)
        records += count
    if portion:
        yield portion


def _of_runs(portion: Sequence[CrawlRun], last: str | None, work: _Work) -> ProcessRun:
    crawl_runs = tuple(run.crawl_run for run in portion)
    replacement = Replacement(RunKind.REPROCESS, runs_to_replace(crawl_runs, work.states, work.resources.ledger), until_run=last)
    return work.resources.ledger.add_process_run(_process_run(crawl_runs, replacement, [f"until {last}"], work))


def _of_records(crawl_run: str, records: Records, work: _Work) -> ProcessRun:
    replacement = Replacement(RunKind.REPROCESS, runs_to_replace((crawl_run,), work.states, work.resources.ledger), is_selection=True)
    contents = [f"{name} {offset}" for name, offsets in records.items() for offset in offsets]
    run = _process_run((crawl_run,), replacement, contents, work)
    work.resources.store.put_bytes(selection_key(run.process_run), json.dumps(records).encode())
    return work.resources.ledger.add_process_run(run)


def _process_run(crawl_runs: tuple[str, ...], replacement: Replacement, contents: Sequence[str], work: _Work) -> ProcessRun:
    name = replacing_run_id(replacement, contents, crawl_runs, work.code, work.config)
    memory = work.resources.ledger.memory_version(work.crawl.name)
    work.resources.store.put_bytes(mark_key(name, PLANNED), datetime.now(UTC).isoformat().encode())
    return ProcessRun(name, work.crawl, crawl_runs, work.code, work.config, memory, None, work.datasets, replacement)
