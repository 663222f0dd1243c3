"""The article rows of a run as they are to be published: cleaned rows with their decisions, and with the fields that steps fill.

Cleaned rows, decisions and filled fields are three Parquet files of each part with the same row groups, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.datasets.functions import refuse_changed_code
from processing.datasets.rows import reading_of
from processing.datasets.steps import STEP_RULE, StepFailedError, StepRunner, with_rows
from processing.datasets.values import convert
from processing.publish.run_columns import run_constants
from processing.resolve.excluded import ARTICLE_POSITION, NOTHING, Excluded, RowPlace
from processing.resolve.portions.deciding import DECIDED_TABLE
from processing.resolve.resolution import ResolveMark, decide_again
from processing.staging.staging import CLEANED, read_rows, staged_writer
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import user_fields
from schemas.errors import GateError
from schemas.keys import cleaned_key, resolved_key
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun
from schemas.tables import TABLES
from storage.lake.lake import Lake
from storage.lake.parquet.block_texts import BLOCKS, TEXT, whole_blocks
from storage.objects.store import ObjectStore

FILLED_TABLE = "filled"
# What a step sees besides the further fields: all that is known of an article alone.
STEP_COLUMNS = [name for name in TABLES["articles"].names if name in CLEANED.names]
HAS_RUN = "has_run"  # whether the steps have run on a row
NEW = pa.array([str(Outcome.PUBLISHED), str(Outcome.DUPLICATE)])
MAX_ROUNDS = 20  # of rows that are new because others were taken out; more than a few need many versions of one article
ARTICLE_ID, DECIDED_ID = "article_id", "decided_article_id"
PLACE = ["warc_filename", "warc_record_offset"]


class ArticleRows:
    """The articles of a resolved run. `excluded` in the calls is what the gate has taken out of them."""

    def __init__(self, run: ProcessRun, mark: ResolveMark, store: ObjectStore, lake: Lake, folders: Sequence[str]) -> None:
        """`folders` are where the user's modules are."""
        self.run, self.mark, self.store = run, mark, store
        self.dataset = run.articles or Dataset(name="articles")  # of a run without articles it has no fields
        self._lake, self._folders = lake, tuple(folders)
        self._decided = NOTHING  # what the latest decisions were made without
        self._filled: Excluded | None = None  # the same of the latest fields

    def prepare(self, excluded: Excluded) -> Excluded:
        """Decide and run the steps without what is excluded; the same with what the steps take out besides.

        Raises GateError if there is no end to it.
        """
        for _ in range(MAX_ROUNDS):
            if excluded.key("") != self._decided.key(""):
                decide_again(self.run, self.mark, excluded, self.store, self._lake)
                self._decided = excluded
            if not self.dataset.steps:
                return excluded
            more = self._fill()
            if not more.rows and not more.held:
                return excluded
            excluded = excluded.with_more(more.rows, more.held)
        raise GateError(f"The steps of articles still took rows out of {self.run.process_run} after {MAX_ROUNDS} rounds.")

    def new_rows(self, excluded: Excluded, columns: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of the rows that are to be published, in row groups."""
        for rows in self.resolved_rows(excluded, columns):
            new = rows.filter(pc.is_in(rows["outcome"], NEW))
            yield (whole_blocks(new) if BLOCKS in columns else new).select(list(columns))

    def resolved_rows(self, excluded: Excluded, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """All cleaned rows with their decisions, the dataset's fields and what names the run, in row groups; None is every column."""
        needed = {*(columns or CLEANED.names), *PLACE, ARTICLE_ID, *([TEXT] if BLOCKS in (columns or ()) else [])}
        for part in self.mark.parts:
            cleaned = read_rows(self.store, self._cleaned(part), [name for name in CLEANED.names if name in needed])
            decided = read_rows(self.store, self._key(DECIDED_TABLE, excluded, part))
            filled = read_rows(self.store, self._key(FILLED_TABLE, excluded, part)) if self.dataset.steps else None
            for rows, decisions in zip(cleaned, decided, strict=True):
                found = _beside(rows, decisions)
                fields = next(filled) if filled is not None else self._unfilled(rows.num_rows)
                yield _with_constants(_beside(_identified(found), fields.select(list(self.dataset.fields))), self.run)

    def _fill(self) -> Excluded:
        """Run the steps on the new rows that they have not run on, and stage the fields of all rows; what the steps take out."""
        decided, earlier = self._decided, self._filled
        broken: dict[RowPlace, tuple[str, str]] = {}
        failed: dict[str, str] = {}
        schema = pa.schema([pa.field(HAS_RUN, pa.bool_()), *user_fields(self.dataset)])
        refuse_changed_code(self.dataset, self._folders)
        with StepRunner(self.dataset, self._folders) as steps:
            for part in self.mark.parts:
                cleaned = read_rows(self.store, self._cleaned(part))
                decisions = read_rows(self.store, self._key(DECIDED_TABLE, decided, part), ["outcome", DECIDED_ID])
                known = read_rows(self.store, self._key(FILLED_TABLE, earlier, part)) if earlier is not None else None
                with staged_writer(self.store, self._key(FILLED_TABLE, decided, part), schema) as writer:
                    for rows, outcomes in zip(cleaned, decisions, strict=True):
                        group = _Group(
                            _identified(_beside(rows, outcomes)), next(known) if known is not None else self._not_run(rows.num_rows)
                        )
                        writer.write(self._after_steps(group, steps, broken, failed).cast(schema))
        self._filled = decided
        return Excluded(broken, failed)

    def _after_steps(self, group: _Group, steps: StepRunner, broken: dict[RowPlace, tuple[str, str]], failed: dict[str, str]) -> pa.Table:
        """The fields of a row group's rows after the steps. Each batch for the steps has rows of one crawl run."""
        fields = group.fields
        for crawl_run, places in group.waiting():
            if crawl_run in failed:
                continue
            waiting = whole_blocks(group.rows.select(STEP_COLUMNS).take(pa.array(places)))
            seen = _beside(waiting, group.fields.select(list(self.dataset.fields)).take(pa.array(places)))
            try:
                stepped = steps.run(seen)
            except StepFailedError as error:
                failed[crawl_run] = str(error)
                continue
            for place, detail in stepped.broken.items():
                (row,) = seen.select(PLACE).slice(place, 1).to_pylist()
                broken[row[PLACE[0]], row[PLACE[1]], ARTICLE_POSITION] = STEP_RULE, detail
            has_run = pa.repeat(pa.scalar(value=True), len(places))
            filled = stepped.rows.select(list(self.dataset.fields)).add_column(0, HAS_RUN, has_run)
            fields = with_rows(fields, filled.cast(fields.schema), places)
        return fields

    def _not_run(self, count: int) -> pa.Table:
        return self._unfilled(count).add_column(0, HAS_RUN, pa.repeat(pa.scalar(value=False), count))

    def _unfilled(self, count: int) -> pa.Table:
        """The fields of rows that no step has seen: their defaults."""
        schema = pa.schema(user_fields(self.dataset))
        values = [convert(one.default, one.field_type, reading_of(self.dataset, name)) for name, one in self.dataset.fields.items()]
        return pa.table([pa.array([value] * count, field.type) for value, field in zip(values, schema, strict=True)], schema=schema)

    def _cleaned(self, part: int) -> str:
        return cleaned_key(self.run.process_run, self.mark.base.memory_version, part)

    def _key(self, table: str, excluded: Excluded, part: int) -> str:
        return resolved_key(self.run.process_run, excluded.key(self.mark.base.key()), part, table)


@dataclass(frozen=True, slots=True)
class _Group:
    """A row group: cleaned rows with their outcomes, and the fields as they were filled before."""

    rows: pa.Table
    fields: pa.Table

    def waiting(self) -> Iterator[tuple[str, Any]]:  # Any: an array of integers
        """The places of the new rows on which the steps have not run, by crawl run."""
        is_new = pc.is_in(self.rows["outcome"], NEW).to_numpy()
        waits = is_new & ~self.fields[HAS_RUN].to_numpy()
        runs = self.rows["crawl_run"].to_numpy()
        for crawl_run in sorted(set(runs[waits].tolist())):
            yield crawl_run, np.flatnonzero(waits & (runs == crawl_run))


def _beside(rows: pa.Table, others: pa.Table) -> pa.Table:
    for name in others.schema.names:
        rows = rows.append_column(others.schema.field(name), others[name])
    return rows


def _identified(rows: pa.Table) -> pa.Table:
    """The rows with the article that was decided on; a cleaned row has that of its own URL."""
    place = rows.schema.get_field_index(ARTICLE_ID)
    return rows.set_column(place, rows.schema.field(place), rows[DECIDED_ID])


def _with_constants(rows: pa.Table, run: ProcessRun) -> pa.Table:
    for name, value in run_constants(run).items():
        rows = rows.append_column(name, pa.repeat(pa.scalar(value, TABLES["articles"].field(name).type), rows.num_rows))
    return rows
