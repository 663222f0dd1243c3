"""What a person decides about rows of quarantine: release, retry or drop.

Rows are settled in commits of at most CHUNK_ROWS rows of one crawl. After a crash the same command settles those that are left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from processing.datasets.rows import UNDECLARED_RULE
from processing.publish.publish import complete_last_published, publisher
from processing.quarantine.candidates import Candidate, Fate, Values, article_fields, dropped, stored_row, table_values
from processing.quarantine.judged_again import judge_again
from processing.quarantine.rules import read_settled
from processing.quarantine.selection import ARTICLES, Place, QuarantineFilter, find_rows, id_of, place_of, read_whole
from processing.quarantine.settlement import Decision, settle
from processing.resources import PLAIN_ARTICLES, Resources, current_configuration, current_datasets, open_resources
from runtime.code_version import code_version
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.errors import ConfigError, NotFoundError
from schemas.numbers import plural
from schemas.runs import RunKind
from schemas.yaml_files.dataset_names import NO_DATASET
from storage.lake.reader.lake_file import refresh_lake_file
from storage.lake.takedown import read_takedowns

CHUNK_ROWS = 500  # with their texts in memory. Each commit writes files of the lake again, so few large ones cost less than many small ones
MAX_NAMED = 10  # rows that an error names

Progress = Callable[[str], None]


@dataclass(slots=True)
class Settled:
    """What came of a decision: how many rows got which outcome, and the process runs that settled them.

    `published` and `duplicate` rows are in their table now, `known` ones were there already, `quarantined` ones stay in quarantine, and
    `rejected` ones are removed. `already` are ids for which this was decided before.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    process_runs: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of quarantine of one crawl, with its configuration and the definitions of their datasets."""

    crawl: Crawl
    datasets: Mapping[str, Dataset]
    rows: Sequence[Values]


Make = Callable[[Chunk], list[Candidate]]


def release(wanted: QuarantineFilter, decided_by: str, reason: str, settings: Settings, progress: Progress = lambda _: None) -> Settled:
    """Publish the rows as they are.

    Raises ConfigError, and publishes nothing, if a row cannot be stored: it names the field. Raises NotFoundError for an unknown id.
    """
    with open_resources(settings) as resources:
        work = _Selection(wanted, RunKind.RELEASE, settings, resources)
        _refuse_unstorable(work.chunks())
        return work.settle(_released_rows, decided_by, reason, progress)


def drop(wanted: QuarantineFilter, decided_by: str, reason: str, settings: Settings, progress: Progress = lambda _: None) -> Settled:
    """Remove the rows from quarantine for good; what is left of their records decides on the outcome. Raises NotFoundError."""
    with open_resources(settings) as resources:
        work = _Selection(wanted, RunKind.DROP, settings, resources)
        return work.settle(lambda chunk: [dropped(row) for row in chunk.rows], decided_by, reason, progress)


def retry(wanted: QuarantineFilter, decided_by: str, reason: str, settings: Settings, progress: Progress = lambda _: None) -> Settled:
    """Judge the rows again, as the crawl's file and the definitions say today. Raises NotFoundError, ConfigError, GateError."""
    with open_resources(settings) as resources:
        work = _Selection(wanted, RunKind.RETRY, settings, resources)
        return work.settle(partial(judged_rows, settings=settings, resources=resources), decided_by, reason, progress)


def judged_rows(chunk: Chunk, settings: Settings, resources: Resources) -> list[Candidate]:
    """The rows of a chunk, judged again."""
    return judge_again(chunk.rows, chunk.crawl, chunk.datasets, list(map(str, settings.module_folders())), resources)


class _Selection:
    """The rows of one command, in chunks."""

    def __init__(self, wanted: QuarantineFilter, kind: RunKind, settings: Settings, resources: Resources) -> None:
        self._kind, self._settings, self._resources = kind, settings, resources
        hidden = read_takedowns(resources.store)
        found = [(row.crawl, row.crawl_run, row.place) for row in find_rows(resources.lake, wanted, hidden)]
        found.sort(key=lambda one: (one[0], one[1], str(one[2])))
        self._places = found
        self._configurations: dict[str, tuple[Crawl, tuple[Dataset, ...]]] = {}
        self.already = _settled_before(wanted.ids - {id_of(place) for _, _, place in found}, kind, resources)

    def chunks(self) -> Iterator[Chunk]:
        """The rows that are there now."""
        for crawl, places in _bounded(self._places):
            rows = list(read_whole(self._resources.lake, places).values())
            if rows:
                yield self._chunk(crawl, rows)

    def settle(self, make: Make, decided_by: str, reason: str, progress: Progress) -> Settled:
        """Settle all rows, one chunk after the other."""
        settled = Settled(already=self.already)
        _complete_last(self._resources)
        decision = Decision(self._kind, code_version(), decided_by, reason)
        done = 0
        for chunk in self.chunks():
            settle_chunk(chunk, make, decision, self._resources, settled)
            done += len(chunk.rows)
            progress(f"{self._kind} {done:,}/{len(self._places):,}")
        refresh_lake_file(self._settings)
        return settled

    def _chunk(self, name: str, rows: Sequence[Values]) -> Chunk:
        if name not in self._configurations:
            self._configurations[name] = self._configuration(name, rows[-1]["crawl_run"])
        crawl, datasets = self._configurations[name]
        return Chunk(crawl, definitions_of(rows, datasets, self._resources), rows)

    def _configuration(self, name: str, crawl_run: str) -> tuple[Crawl, tuple[Dataset, ...]]:
        """A crawl and its datasets as they are defined today. To drop rows, no file needs to be right, or there."""
        pinned = self._resources.ledger.crawl_run(crawl_run).crawl
        if self._kind is RunKind.DROP:
            return pinned, ()
        crawl = current_configuration(name, self._settings, pinned)
        return crawl, current_datasets(crawl, (), self._settings, self._resources)


def settle_chunk(chunk: Chunk, make: Make, decision: Decision, resources: Resources, settled: Settled) -> None:
    """Settle the rows of a chunk, and add what came of it."""
    found = settle(make(chunk), chunk.crawl, chunk.datasets, decision, resources)
    if found is not None:
        settled.outcomes.update(found.outcomes)
        settled.process_runs.append(found.report.process_run)


def definitions_of(rows: Iterable[Values], datasets: Iterable[Dataset], resources: Resources) -> dict[str, Dataset]:
    """The definition of each dataset that the rows are of: today's, or else the one by which a row was made.

    Raises ConfigError for a dataset that has none any more.
    """
    known = {PLAIN_ARTICLES.name: PLAIN_ARTICLES} | {dataset.name: dataset for dataset in datasets}
    found: dict[str, Dataset] = {}
    for row in rows:
        name = row["dataset"] or ARTICLES
        if name not in found and name != NO_DATASET:
            found[name] = known[name] if name in known else _pinned(name, row["process_run"], resources)
    return found


def _pinned(name: str, process_run: str, resources: Resources) -> Dataset:
    for dataset in resources.ledger.process_run(process_run).datasets:
        if dataset.name == name:
            return dataset
    raise ConfigError(f"The dataset {name!r} has no definition any more. Write {name}.yaml again, or drop its rows.")


def _complete_last(resources: Resources) -> None:
    """Complete what was published last: this command may have died after a commit, and may find no rows of it any more."""
    with publisher(resources.store, resources.lake, resources.ledger):
        last = resources.ledger.last_published(None)
        if last is not None:
            complete_last_published(resources.ledger.process_run(last).crawl.name, resources.store, resources.lake, resources.ledger)


def _bounded(places: Sequence[tuple[str, str, Place]]) -> Iterator[tuple[str, list[Place]]]:
    """The places of one crawl each, at most CHUNK_ROWS."""
    crawl, pending = "", list[Place]()
    for name, _, place in places:
        if pending and (name != crawl or len(pending) == CHUNK_ROWS):
            yield crawl, pending
            pending = []
        crawl = name
        pending.append(place)
    if pending:
        yield crawl, pending


def _settled_before(missing: frozenset[str], kind: RunKind, resources: Resources) -> list[str]:
    """Those of the ids for which the same was decided before. Raises NotFoundError for any other."""
    if not missing:
        return []
    known = read_settled(resources.lake, missing)
    for one in sorted(missing):
        if one not in known:
            raise NotFoundError(f"There is no row {one!r} in quarantine. `crawlhouse quarantine list` shows which there are.")
        if known[one].kind != kind:
            raise NotFoundError(f"The row {one} is in quarantine no more: {known[one].sentence()}.")
    with publisher(resources.store, resources.lake, resources.ledger):  # the process that settled them may have died before its report
        for crawl in {resources.ledger.process_run(found.process_run).crawl.name for found in known.values()}:
            complete_last_published(crawl, resources.store, resources.lake, resources.ledger)
    return [f"{one}: {known[one].sentence()}" for one in sorted(missing)]


def _refuse_unstorable(chunks: Iterable[Chunk]) -> None:
    """Raise ConfigError that names the rows with values that do not fit the columns of their table."""
    problems = [problem for chunk in chunks for row in chunk.rows if (problem := _problem(row, chunk.datasets))]
    if problems:
        more = f"\nand {plural(len(problems) - MAX_NAMED, 'other')}" if len(problems) > MAX_NAMED else ""
        raise ConfigError(
            "Nothing was released, because the table cannot take these rows:\n"
            + "\n".join(problems[:MAX_NAMED])
            + more
            + "\nCorrect the dataset's fields and use `crawlhouse quarantine retry`, or release the other rows only."
        )


def _problem(row: Values, datasets: Mapping[str, Dataset]) -> str | None:
    name = row["dataset"] or ARTICLES
    if name == ARTICLES:
        return _article_problem(row, datasets[name])
    if name == NO_DATASET:
        return f"{id_of(place_of(row))}: {row['detail']}: no table takes it"
    found = stored_row(datasets[name], row)
    refused = found.rule is not None and found.rule != UNDECLARED_RULE
    return f"{id_of(place_of(row))}: {found.detail}" if refused else None


def _article_problem(row: Values, dataset: Dataset) -> str | None:
    try:
        article_fields(dataset, row)
    except ValueError as error:
        return f"{id_of(place_of(row))}: {error}"
    return None


def _released_rows(chunk: Chunk) -> list[Candidate]:
    return [_released(row, chunk.datasets) for row in chunk.rows]


def _released(row: Values, datasets: Mapping[str, Dataset]) -> Candidate:
    name = row["dataset"] or ARTICLES
    if name == ARTICLES:
        return Candidate(row, Fate.PUBLISH, article_fields(datasets[name], row))
    found = stored_row(datasets[name], row)
    return Candidate(row, Fate.PUBLISH, table_values(datasets[name], found))
