"""Compare the rows that a process run would publish with those that it would take out: how many, which fields, and some side by side.

A row is that of the same record; for a dataset of the user's own, of the same record and key. Of each row only a digest of each field is in
memory; the values of the examples are read afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import In

from processing.publish.accounting import ARTICLES
from processing.publish.gate import GateMark
from processing.resolve.replaced import hidden_rows
from processing.staging.staging import read_rows
from schemas.datasets.dataset import Dataset
from schemas.keys import gated_key, report_key
from schemas.runs import ProcessRun
from schemas.tables import ARTICLE_FIELDS, POINTER_FIELDS, RUN_FIELDS
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

MAX_EXAMPLES = 10
DIGEST_BYTES = 8
RECORD = ["warc_filename", "warc_record_offset"]
# Of an article: where it is from, by which run it was made, and what follows from its text.
_NOT_COMPARED = {
    *(field.name for field in (*POINTER_FIELDS, *RUN_FIELDS)),
    *("url", "host", "fetched_at", "version", "minhash", "memory_version", "text_digest", "text_length", "word_count"),
    *("duplicate_word_fraction", "symbol_word_ratio", "mean_word_length", "link_density", "furniture_blocks", "blocks"),
}
ARTICLE_COLUMNS = tuple(field.name for field in ARTICLE_FIELDS if field.name not in _NOT_COMPARED)

Key = tuple[str, int, str]  # WARC file, offset, row id (empty for an article)
Values = Mapping[str, Any]  # Any: the values of a row
Rows = Callable[[Sequence[str]], Iterator[pa.Table]]


@dataclass(frozen=True, slots=True)
class Example:
    """A row that changes: `before` and `after` have the fields that differ; one of them is None for a row that is added or lost."""

    dataset: str
    url: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(slots=True)
class DatasetChanges:
    """How the rows of one dataset change. `fields` counts the changed rows in which a field differs."""

    before: int = 0
    after: int = 0
    added: int = 0
    lost: int = 0
    changed: int = 0
    fields: Counter[str] = field(default_factory=Counter)

    def add(self, other: DatasetChanges) -> None:
        """Add those of another portion."""
        for name in ("before", "after", "added", "lost", "changed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.fields.update(other.fields)


@dataclass(slots=True)
class Comparison:
    """What would change: by dataset, the outcomes of records before and after, examples, and what the expectations say of the new rows.

    `held` are sentences on datasets of crawl runs that would be held back, `failed` those on other expectations that fail.
    """

    records: int = 0
    datasets: dict[str, DatasetChanges] = field(default_factory=dict)
    outcomes_before: Counter[str] = field(default_factory=Counter)
    outcomes_after: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    expectations: int = 0
    failed: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def add(self, other: Comparison) -> None:
        """Add that of another portion."""
        self.records += other.records
        for name, changes in other.datasets.items():
            self.datasets.setdefault(name, DatasetChanges()).add(changes)
        self.outcomes_before.update(other.outcomes_before)
        self.outcomes_after.update(other.outcomes_after)
        self.examples = [*self.examples, *other.examples][:MAX_EXAMPLES]
        self.expectations += other.expectations
        self.failed += other.failed
        self.held += other.held


def compare_rows(run: ProcessRun, passed: GateMark, store: ObjectStore, lake: Lake) -> Comparison:
    """The comparison of a gated process run with the lake as it is."""
    found = Comparison()
    for dataset in run.judged_datasets:
        fields = compared_fields(dataset)

        def new_rows(columns: Sequence[str], name: str = dataset.name) -> Iterator[pa.Table]:
            return read_rows(store, gated_key(run.process_run, passed.base.key(), name), list(columns))

        def old_rows(columns: Sequence[str], name: str = dataset.name) -> Iterator[pa.Table]:
            return replaced_rows(run, name, columns, store, lake)

        changes, examples = _compare(dataset.name, fields, old_rows, new_rows, MAX_EXAMPLES - len(found.examples))
        found.datasets[dataset.name] = changes
        found.examples += examples
    for table in replaced_rows(run, "captures", ["outcome"], store, lake):
        found.outcomes_before.update(table["outcome"].to_pylist())
    for table in read_rows(store, gated_key(run.process_run, passed.base.key(), "captures"), ["outcome"]):
        found.outcomes_after.update(table["outcome"].to_pylist())
    found.records = found.outcomes_after.total()
    found.held = [f"{name} of {crawl_run}: {why}" for crawl_run, held in sorted(passed.held.items()) for name, why in sorted(held.items())]
    _add_expectations(found, json.loads(store.get_bytes(report_key(run.process_run, "expectations.json"))))
    return found


def compared_fields(dataset: Dataset) -> tuple[str, ...]:
    """The columns of a dataset's table that are compared."""
    return (*(ARTICLE_COLUMNS if dataset.is_built_in else ()), *dataset.fields)


def replaced_rows(run: ProcessRun, table: str, columns: Sequence[str], store: ObjectStore, lake: Lake) -> Iterator[pa.Table]:
    """The rows of a table that a process run replaces. Of a column that the table does not have yet all values are NULL."""
    hidden = hidden_rows(run, store)
    if hidden is None:
        return
    mine = replace(hidden, last=run.crawl_runs[-1], tables=hidden.tables | {table})
    there = set(lake.table(table).schema().column_names)
    wanted = [name for name in dict.fromkeys([*columns, *mine.columns(table)]) if name in there]
    for batch in lake.scan(table, wanted, In("crawl_run", run.crawl_runs)):  # type: ignore[call-arg]
        rows = pa.Table.from_batches([batch.filter(pc.invert(mine.shown(table, batch)))])
        for name in columns:
            if name not in there:
                rows = rows.append_column(name, pa.nulls(rows.num_rows))
        if rows.num_rows:
            yield rows


def _compare(name: str, fields: Sequence[str], old_rows: Rows, new_rows: Rows, max_examples: int) -> tuple[DatasetChanges, list[Example]]:
    """The changes of one dataset, and examples: rows that change, then lost ones, then added ones."""
    key_columns = [*RECORD, *([] if name == ARTICLES else ["row_id"])]
    before = dict(_digests(old_rows([*key_columns, *fields]), key_columns, fields))
    changes = DatasetChanges(before=len(before))
    changed: list[Key] = []
    added: list[Key] = []
    for key, digest in _digests(new_rows([*key_columns, *fields]), key_columns, fields):
        changes.after += 1
        old = before.pop(key, None)
        if old is None:
            added.append(key)
        elif old != digest:
            changed.append(key)
            changes.fields.update(_differing(fields, old, digest))
    changes.added, changes.lost, changes.changed = len(added), len(before), len(changed)
    chosen = [*sorted(changed), *sorted(before), *sorted(added)][:max_examples]
    return changes, _examples(name, chosen, fields, key_columns, old_rows, new_rows)


def _digests(tables: Iterable[pa.Table], key_columns: Sequence[str], fields: Sequence[str]) -> Iterator[tuple[Key, bytes]]:
    for table in tables:
        for row in table.to_pylist():
            yield _key(row, key_columns), b"".join(_digest(row[name]) for name in fields)


def _digest(value: Any) -> bytes:  # Any: a value of a row
    """A digest by which values are compared. A NULL list is read from a table as an empty one."""
    value = None if value == [] else value
    return hashlib.blake2b(repr(value).encode("utf-8", "replace"), digest_size=DIGEST_BYTES).digest()


def _differing(fields: Sequence[str], one: bytes, other: bytes) -> Iterator[str]:
    for place, name in enumerate(fields):
        part = slice(place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES)
        if one[part] != other[part]:
            yield name


def _key(row: Values, key_columns: Sequence[str]) -> Key:
    return row["warc_filename"], row["warc_record_offset"], row["row_id"] if len(key_columns) > len(RECORD) else ""


def _examples(
    name: str, keys: Sequence[Key], fields: Sequence[str], key_columns: Sequence[str], old_rows: Rows, new_rows: Rows
) -> list[Example]:
    if not keys:
        return []
    columns = [*key_columns, "url", *fields]
    before, after = (_with_keys(rows(columns), set(keys), key_columns) for rows in (old_rows, new_rows))
    return [_example(name, fields, before.get(key), after.get(key)) for key in keys]


def _with_keys(tables: Iterable[pa.Table], keys: set[Key], key_columns: Sequence[str]) -> dict[Key, Values]:
    names = pa.array(sorted({name for name, _, _ in keys}), pa.string())
    near = (table.filter(pc.is_in(table["warc_filename"].cast(pa.string()), value_set=names)) for table in tables)
    return {key: row for table in near for row in table.to_pylist() if (key := _key(row, key_columns)) in keys}


def _example(name: str, fields: Sequence[str], before: Values | None, after: Values | None) -> Example:
    row = after if after is not None else before
    assert row is not None
    if before is None or after is None:
        shown = {field: value for field in fields if (value := row[field]) not in (None, [], "")}
        return Example(name, row["url"], None if before is None else shown, None if after is None else shown)
    differing = [field for field in fields if _digest(before[field]) != _digest(after[field])]
    return Example(name, row["url"], {field: before[field] for field in differing}, {field: after[field] for field in differing})


def _add_expectations(found: Comparison, report: Mapping[str, Any]) -> None:  # Any: JSON
    results = report["results"]
    found.expectations = len(results)
    found.failed = [f"{one['dataset']}: {one['sentence']}" for one in results if not one["success"] and one["severity"] != "critical"]
