"""The rows that each dataset would get from the pages of a check, what would go to quarantine, and what only a whole run can judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pyarrow as pa

from processing.datasets.definitions import ARTICLES, crawl_datasets, with_item_fields
from processing.datasets.rows import row_json
from processing.datasets.values import to_plain
from processing.expectations.batches import RowsToJudge
from processing.expectations.expectations import judge_datasets
from processing.expectations.suite_result import SuiteResult
from processing.extract.checks.selector_matches import selector_matches
from processing.extract.item_rows import item_datasets
from processing.resolve.records import RecordId
from processing.resolve.row_history import PUBLISHED, UNCHANGED, decide_key, row_order
from processing.resolve.run_records import read_errors
from processing.staging.staging import decided_schema, read_rows
from processing.staging.step_failures import read_failures
from runtime.code_version import code_version
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.datasets.expectation import Drift, Expectation
from schemas.datasets.expectation_types import expectation_type
from schemas.keys import extracted_rows_key
from schemas.manifest import Manifest
from schemas.runs import ProcessRun, config_hash
from schemas.yaml_files.dataset_names import NO_DATASET
from storage.index.items import read_item_types, read_items
from storage.objects.store import ObjectStore

PROCESS_RUN = "check"
StagedRow = dict[str, Any]  # Any: the values of a staged row


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A row that would go to quarantine, and why. `row_json` is the row as its source gave it."""

    url: str
    rule: str
    detail: str
    row_json: str


@dataclass(slots=True)
class CheckedDataset:
    """What a dataset would get: `rows` would be published, in the order of the pages. `repeated` rows are equal to one of them.

    `errors` are pages whose rows could not be read, by URL. `broken` says which critical expectations or steps the rows break, so that a
    real run would hold them back. `whole_run` names the expectations that only the rows of a whole run can show. Of a dataset by selectors
    without any row, `matched_pages` are the pages that its `match` covers, and `matches` says how many elements each selector found there.
    """

    dataset: Dataset
    rows: list[StagedRow] = field(default_factory=list)
    repeated: int = 0
    quarantined: list[QuarantinedRow] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    whole_run: list[str] = field(default_factory=list)
    matched_pages: int = 0
    matches: Counter[str] = field(default_factory=Counter)

    @property
    def made(self) -> int:
        """How many rows the pages made."""
        return len(self.rows) + self.repeated + len(self.quarantined)


def check_process_run(crawl: Crawl, manifest: Manifest, settings: Settings, store: ObjectStore) -> ProcessRun:
    """A process run of a check's crawl run, which is in no ledger. Raises ConfigError for definitions that cannot work."""
    types = read_item_types(crawl.name, manifest.crawl_run, store).types

    def has_items(dataset: Dataset) -> bool:
        return any(dataset.takes_item(item.type) for item in read_items(crawl.name, manifest.crawl_run, manifest.segments, store))

    found = (with_item_fields(dataset, types, {}, settings, has_items) for dataset in crawl_datasets(crawl, settings))
    datasets = tuple(dataset for dataset in found if dataset is not None)
    return ProcessRun(PROCESS_RUN, crawl, (manifest.crawl_run,), code_version(), config_hash(crawl, datasets), 0, None, datasets)


def check_datasets(run: ProcessRun, manifest: Manifest, urls: Mapping[RecordId, str], store: ObjectStore) -> list[CheckedDataset]:
    """What each dataset but `articles` gets of the extracted segments of a check, and last the items that no dataset takes, if any.

    `urls` are those of the records. Raises GateError when expectations cannot be judged.
    """
    segments = [segment.segment for segment in manifest.segments]
    checked = []
    for dataset in run.own_datasets:
        errors = read_errors(run, segments, store, dataset.name)
        one = CheckedDataset(dataset, errors={urls[record_id]: error for record_id, error in errors.items() if record_id in urls})
        _decide(one, _staged(dataset.name, segments, store))
        checked.append(one)
        one.broken += _broken_steps(dataset, segments, store)
        if not one.made and not one.errors and dataset.source is not None and dataset.source.selectors:
            _count_matches(one, run.crawl, manifest, store)
    _judge(checked, run)
    unclaimed = _unclaimed(segments, store) if item_datasets(run) else []
    return checked + unclaimed


def _count_matches(checked: CheckedDataset, crawl: Crawl, manifest: Manifest, store: ObjectStore) -> None:
    for segment in manifest.segments:
        for found in selector_matches(store, segment, crawl, checked.dataset):
            checked.matched_pages += 1
            checked.matches.update(found)


def _broken_steps(dataset: Dataset, segments: Iterable[str], store: ObjectStore) -> list[str]:
    """Why steps broke, so that a real run would hold back the rows."""
    found = (read_failures(store, PROCESS_RUN, segment).get(dataset.name) for segment in (segments if dataset.steps else ()))
    return list(dict.fromkeys(failure for failure in found if failure is not None))


def judged_in_a_run(run: ProcessRun) -> list[str]:
    """The user's expectations of `articles`, which a check does not judge."""
    own = [one for one in run.datasets if one.name == ARTICLES]
    expectations = [one for dataset in own for one in dataset.expectations] + list(run.crawl.expectations.get(ARTICLES, ()))
    drifts = [one for dataset in own for one in dataset.drift] + list(run.crawl.drift.get(ARTICLES, ()))
    return [*map(_expectation_words, expectations), *map(_drift_words, drifts)]


def _staged(name: str, segments: Iterable[str], store: ObjectStore) -> Iterator[StagedRow]:
    for segment in sorted(segments):
        for table in read_rows(store, extracted_rows_key(PROCESS_RUN, name, segment)):
            yield from table.to_pylist()


def _decide(checked: CheckedDataset, staged: Iterable[StagedRow]) -> None:
    """Sort rows into those to publish, those to quarantine and repeated ones, as if the table had no rows yet."""
    fitting = []
    for row in staged:
        if row["rule"] is None:
            fitting.append(row)
        else:
            checked.quarantined.append(QuarantinedRow(row["url"], row["rule"], row["detail"] or "", row["row_json"] or ""))
    for _, group in groupby(sorted(fitting, key=row_order), key=lambda row: row["row_id"]):
        of_key = list(group)
        for row, decision in zip(of_key, decide_key(checked.dataset, of_key, (), frozenset()), strict=True):
            if decision.outcome == PUBLISHED:
                history = {"version": decision.version, "first_seen": decision.first_seen, "changed": list(decision.changed)}
                checked.rows.append(row | history)
            elif decision.outcome == UNCHANGED:
                checked.repeated += 1
            else:
                checked.quarantined.append(QuarantinedRow(row["url"], decision.rule or "", decision.detail or "", _row_text(checked, row)))
    checked.rows.sort(key=lambda row: (row["fetched_at"], row["warc_filename"], row["warc_record_offset"], row["position"]))


def _judge(checked: Sequence[CheckedDataset], run: ProcessRun) -> None:
    """Judge the rows by the expectations of single rows, and name the others."""
    to_judge = []
    for one in checked:
        expectations = (*one.dataset.expectations, *run.crawl.expectations.get(one.dataset.name, ()))
        single = tuple(expectation for expectation in expectations if expectation_type(expectation.type).row_by_row)
        drifts = (*one.dataset.drift, *run.crawl.drift.get(one.dataset.name, ()))
        one.whole_run += [_expectation_words(expectation) for expectation in expectations if expectation not in single]
        one.whole_run += [_drift_words(drift) for drift in drifts]
        if single and one.rows:
            dataset = one.dataset.model_copy(update={"expectations": single, "drift": ()})
            tables = [pa.Table.from_pylist(one.rows, schema=decided_schema(one.dataset))]
            to_judge.append(RowsToJudge(dataset, tables, run.crawl_runs))
    results = judge_datasets(to_judge) if to_judge else {}
    for one in checked:
        if one.dataset.name in results:
            _take_result(one, results[one.dataset.name])


def _take_result(checked: CheckedDataset, result: SuiteResult) -> None:
    offences = result.offences().among(0, len(checked.rows))
    for place, offence in sorted(offences.items()):
        row = checked.rows[place]
        checked.quarantined.append(QuarantinedRow(row["url"], offence.rule, offence.detail(row), _row_text(checked, row)))
    checked.rows = [row for place, row in enumerate(checked.rows) if place not in offences]
    checked.broken += result.sentences()


def _unclaimed(segments: Sequence[str], store: ObjectStore) -> list[CheckedDataset]:
    rows = [QuarantinedRow(row["url"], row["rule"], row["detail"], row["row_json"]) for row in _staged(NO_DATASET, segments, store)]
    return [CheckedDataset(Dataset.model_construct(name=NO_DATASET), quarantined=rows)] if rows else []


def _row_text(checked: CheckedDataset, row: StagedRow) -> str:
    return row_json({name: to_plain(row[name]) for name in checked.dataset.fields if row[name] is not None})


def _expectation_words(expectation: Expectation) -> str:
    return f"{expectation.type}({', '.join(expectation.columns())})"


def _drift_words(drift: Drift) -> str:
    return f"drift of {drift.measure}" + (f" of {drift.column}" if drift.column else "")
