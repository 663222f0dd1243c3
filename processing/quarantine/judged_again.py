"""Judge rows of quarantine again, by today's code, definitions and expectations. No lock is held, because pages are read again.

An article is always read again from its WARC record. A row of another dataset is read again if its source gave something that did not fit,
or if the definition has changed; otherwise, and for items of spiders, the stored row is judged. Expectations of single rows are judged,
those of all rows together are not: they say nothing of the few rows that are tried again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from processing.clean.cleaning import cleaned_row
from processing.clean.identity import bucket_of
from processing.clean.memory_file import read_containers, read_memory
from processing.clean.site_memory import SiteMemory
from processing.datasets.functions import refuse_changed_code
from processing.datasets.rows import reading_of, row_json
from processing.datasets.steps import STEP_RULE, StepFailedError, StepRunner, whole_row
from processing.datasets.values import convert
from processing.expectations.batches import RowsToJudge
from processing.expectations.expectations import judge_datasets
from processing.extract.extracted_rows import extracted_rows
from processing.extract.page_tasks import PageResult, Wanted
from processing.extract.referred_records import index_rows
from processing.extract.stored_records import read_again
from processing.known.known_lake import open_known
from processing.quarantine.candidates import Candidate, Fate, Values, stays, stored_row, table_values, was_refused_by_source
from processing.quarantine.selection import ARTICLES
from processing.resolve.earlier_dataset_rows import definitions_of, rows_digest
from processing.resolve.records import RecordId, record_id_of
from processing.resources import Resources
from processing.staging.staging import METADATA_COLUMNS
from schemas.config.crawl import Crawl
from schemas.datasets.dataset import Dataset
from schemas.datasets.expectation import Expectation
from schemas.datasets.expectation_types import expectation_type
from schemas.datasets.page_rows import Row
from schemas.datasets.tables import table_schema
from schemas.errors import GateError
from schemas.keys import memory_key
from schemas.outcomes import Reason
from schemas.tables import QUARANTINE
from schemas.yaml_files.dataset_names import NO_DATASET
from storage.index.rows import CaptureRow

_UNDECIDED = frozenset({"version", "first_seen", "changed", "ingested_at", "sequence"})  # columns that steps do not see
NOT_READ = "reading its page again failed"


def judge_again(
    rows: Sequence[Values], crawl: Crawl, datasets: Mapping[str, Dataset], folders: Sequence[str], resources: Resources
) -> list[Candidate]:
    """A candidate for each row of quarantine. `folders` are where the user's modules are. Raises GateError if nothing can be judged."""
    made: list[Candidate] = []
    for name in sorted({row["dataset"] or ARTICLES for row in rows}):
        chosen = [row for row in rows if (row["dataset"] or ARTICLES) == name]
        if name == NO_DATASET:  # a dataset that takes such items applies to the next crawl runs
            made += [stays(row, {}, row["rule"], row["reason"], row["detail"]) for row in chosen]
            continue
        found = (
            _articles(chosen, crawl, resources)
            if name == ARTICLES
            else _dataset_rows(chosen, crawl, datasets[name], tuple(folders), resources)
        )
        made += _expected(_stepped(list(found), datasets[name], folders), crawl, datasets[name])
    return made


def _articles(rows: Sequence[Values], crawl: Crawl, resources: Resources) -> Iterator[Candidate]:
    store = resources.store
    version = resources.ledger.memory_version(crawl.name) if crawl.articles.site_memory else 0
    key = memory_key(crawl.name, version) if version else None
    found = _results(rows, crawl, Wanted(), resources, read_containers(store, key))
    bucket, memory = -1, SiteMemory()
    for row in sorted(rows, key=lambda row: bucket_of(row["host"])):
        if bucket != bucket_of(row["host"]):
            bucket = bucket_of(row["host"])
            memory = read_memory(store, key, bucket)
        index, result = found.get(record_id_of(row), (None, None))
        if index is None or result is None or result.article is None:
            yield _no_article(row, result)
            continue
        memory_version = version if crawl.articles.site_memory else None
        staged = extracted_rows([(index, result.article)])
        yield _article(row, cleaned_row(staged, memory, memory_version, crawl.articles))


def _article(old: Values, cleaned: Values) -> Candidate:
    """The article as it is read today. It keeps the identity that it has in quarantine."""
    article = {**dict.fromkeys(METADATA_COLUMNS), **cleaned, "article_id": old["article_id"]}
    new = {name: article[name] for name in QUARANTINE.names if name in article and name not in {"rule", "reason", "detail"}}
    if cleaned["quarantine_reason"] is not None:
        return stays(old, new, cleaned["rule"], cleaned["quarantine_reason"], cleaned["quarantine_detail"])
    return Candidate(old, Fate.PUBLISH, new)


def _no_article(old: Values, result: PageResult | None) -> Candidate:
    """A page that cannot be read stays; one that is no article for today's code is rejected."""
    rejected = result.rejected if result is not None else None
    if rejected is None or rejected.reason in {Reason.DAMAGED_RECORD, Reason.PAGE_TIMEOUT, Reason.PAGE_MEMORY, Reason.PAGE_CRASH}:
        detail = NOT_READ if rejected is None else f"{NOT_READ}: {rejected.detail}"
        return stays(old, {}, old["rule"], old["reason"], detail)
    return Candidate(old, Fate.REMOVE, reason=str(rejected.reason), detail=rejected.detail or None)


def _dataset_rows(
    rows: Sequence[Values], crawl: Crawl, dataset: Dataset, folders: tuple[str, ...], resources: Resources
) -> Iterator[Candidate]:
    known = open_known(resources.lake, resources.store)
    made_by = definitions_of(known, dataset.name, {row["process_run"] for row in rows})
    digest = rows_digest(dataset)
    from_page = [row for row in rows if _is_read_again(dataset, row, digest, made_by)]
    wanted = Wanted(articles=False, definitions=(dataset.model_dump_json(),), folders=folders)
    found = _results(from_page, crawl, wanted, resources, {}) if from_page else {}
    again = {id(row) for row in from_page}
    for row in rows:
        yield _from_page(row, dataset, found.get(record_id_of(row), (None, None))[1]) if id(row) in again else _from_store(row, dataset)


def _is_read_again(dataset: Dataset, row: Values, digest: str, made_by: Mapping[str, object]) -> bool:
    if dataset.source is None or not dataset.source.reads_pages:
        return False
    definition = made_by.get(row["process_run"])
    return was_refused_by_source(row) or getattr(definition, "digest", None) != digest


def _from_store(old: Values, dataset: Dataset) -> Candidate:
    return _typed(old, dataset, stored_row(dataset, old))


def _from_page(old: Values, dataset: Dataset, result: PageResult | None) -> Candidate:
    """The row that the page has today at the place where it had this one."""
    if result is None or (result.rejected is not None and not result.rows):
        return _no_article(old, result)
    page = next((one for one in result.rows if one.dataset == dataset.name), None)
    if page is not None and page.error is not None:
        return stays(old, {}, old["rule"], old["reason"], f"{NOT_READ}: {page.error}")
    if page is None or old["position"] >= len(page.rows):
        return Candidate(old, Fate.REMOVE, reason=str(Reason.NO_ROWS), detail="the page has no such row by today's definition")
    return _typed(old, dataset, page.rows[old["position"]])


def _typed(old: Values, dataset: Dataset, row: Row) -> Candidate:
    if row.rule is not None:
        return stays(old, {"row_id": row.row_id, "row_json": row.row_json}, row.rule, row.rule, row.detail)
    whole = row_json({name: value for name, value in row.values.items() if value is not None})
    return Candidate(old, Fate.PUBLISH, table_values(dataset, row), row_json=whole)


def _results(
    rows: Sequence[Values], crawl: Crawl, wanted: Wanted, resources: Resources, containers: Mapping[str, tuple[str, ...]]
) -> dict[RecordId, tuple[CaptureRow, PageResult]]:
    """The records of the rows as they are read today."""
    index = index_rows(resources.store, {record_id_of(row) for row in rows})
    records = [index[record_id] for record_id in sorted(index)]
    found = read_again(resources.store, records, crawl, containers, wanted)
    return {(row.warc_filename, row.warc_record_offset): (row, result) for row, result in found}


def _stepped(candidates: Sequence[Candidate], dataset: Dataset, folders: Sequence[str]) -> list[Candidate]:
    """The candidates with the fields that the dataset's steps fill; one on which a step breaks stays in quarantine, if it may."""
    chosen = [one for one in candidates if one.fate is Fate.PUBLISH]
    if not chosen or not dataset.fields or not (dataset.steps or dataset.name == ARTICLES):
        return list(candidates)
    refuse_changed_code(dataset, folders)
    table = _table([_with_defaults(one, dataset) for one in chosen], dataset)
    broken: Mapping[int, str] = {}
    if dataset.steps:
        try:
            with StepRunner(dataset, folders) as steps:
                stepped = steps.run(table.select([name for name in table.schema.names if name not in _UNDECIDED]))
        except StepFailedError as error:
            raise GateError(f"{dataset.name}: {error}. Nothing was changed.") from error
        table, broken = stepped.rows, stepped.broken
    filled = {id(one): _filled(one, row, dataset) for one, row in zip(chosen, table.to_pylist(), strict=True)}
    at_fault = {id(chosen[place]): why for place, why in broken.items()}
    found = ((one, filled.get(id(one), one)) for one in candidates)
    return [_broken(new, STEP_RULE, at_fault[id(one)]) if id(one) in at_fault else new for one, new in found]


def _with_defaults(candidate: Candidate, dataset: Dataset) -> Candidate:
    """The candidate with the defaults of the fields that it does not have."""
    missing = [name for name in dataset.fields if name not in candidate.new]
    defaults = {name: convert(dataset.fields[name].default, dataset.fields[name].field_type, reading_of(dataset, name)) for name in missing}
    return replace(candidate, new={**candidate.new, **defaults})


def _filled(candidate: Candidate, row: Values, dataset: Dataset) -> Candidate:
    values = {name: row[name] for name in dataset.fields}
    return replace(candidate, new={**candidate.new, **values}, row_json=whole_row(dataset, values))


def _expected(candidates: Sequence[Candidate], crawl: Crawl, dataset: Dataset) -> list[Candidate]:
    """The candidates; one that breaks an expectation of single rows stays in quarantine."""
    single = _of_single_rows([*dataset.expectations, *crawl.expectations.get(dataset.name, ())])
    chosen = [one for one in candidates if one.fate is Fate.PUBLISH]
    if not single or not chosen:
        return list(candidates)
    judged = dataset.model_copy(update={"expectations": tuple(single), "drift": ()})
    crawl_runs = sorted({one.old["crawl_run"] for one in chosen})
    offences = judge_datasets([RowsToJudge(judged, [_table(chosen, dataset)], crawl_runs)])[dataset.name].offences()
    broken = {id(chosen[place]): why for place, why in offences.among(0, len(chosen)).items()}
    return [_broken(one, broken[id(one)].rule, broken[id(one)].detail(one.new)) if id(one) in broken else one for one in candidates]


def _of_single_rows(expectations: Collection[Expectation]) -> list[Expectation]:
    """Those that name the rows at fault, whatever follows from it for a whole run."""
    judged = [one for one in expectations if one.severity != "info" and expectation_type(one.type).reports_rows]
    return [one.model_copy(update={"severity": "warning"}) for one in judged]


def _broken(candidate: Candidate, rule: str, detail: str) -> Candidate:
    if candidate.dataset == ARTICLES:
        return stays(candidate.old, {**candidate.new, "row_json": candidate.row_json}, rule, rule, detail)
    return stays(candidate.old, {"row_id": candidate.new["row_id"], "row_json": candidate.row_json}, rule, rule, detail)


def _table(candidates: Sequence[Candidate], dataset: Dataset) -> pa.Table:
    """The candidates as rows of the dataset's table; what is decided later is 1 or NULL."""
    schema = table_schema(dataset)
    filler = {"version": 1, "first_seen": None, "ingested_at": None, "sequence": None}
    rows = [{**one.old, **one.new, **filler} for one in candidates]
    nullable = pa.schema([field.with_nullable(nullable=True) for field in schema])
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=nullable)
