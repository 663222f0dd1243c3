"""Which columns and which keys the known index has of each table of the lake."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from processing.clean.minhash import FORM, bands_of, text_signatures
from processing.known.keys import ARTICLE, PAGE, PAGE_ARTICLE, PAYLOAD, PLACE, READING, ROW, RUN, SEEN_ON, TEXT, hash_columns
from schemas.keys import planned_stamp
from schemas.tables import ARTICLES, CAPTURES, RUNS, SIGHTINGS
from storage.index.known.entries import Entries, make_entries
from storage.index.known.run_file import BANDS, FILE_COLUMN, FRONT

VERSION = "2"  # of the forms; that of `articles` has the form of the signatures too, that of `runs` what it keeps of the statistics
_OUTCOME = pa.struct([pa.field("dataset", pa.string()), pa.field("outcome", pa.string()), pa.field("rows", pa.int32())])
_OF_STATISTICS = ("definitions", "rules", "held")
_RUN_COLUMNS = ["process_run", "crawl_run", "crawl", "planned_at", "sequence"]
_PLACE = ["warc_filename", "warc_record_offset"]
_WITH_ARTICLE = pa.array(["published", "known", "duplicate"])
_CAPTURE_COLUMNS = [
    "url", "content_digest", "fetched_at", "record_type", "outcome", "reason", "article_id", "article_version", *_PLACE, "sequence",
    "process_run",
]  # fmt: skip
_ARTICLE_COLUMNS = [
    "article_id", "version", "sequence", "url", "host", "text_digest", "crawl", "code_version", "memory_version", "fetched_at",
    "published_at", *_PLACE, "warc_record_length", "content_digest", "duplicate_of", "crawl_run", "process_run",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class IndexedTable:
    """A table of the lake in the index.

    `source` are the columns that are read from its data files, `schema` those that the index keeps, `form` changes with either. `kept`
    makes the rows that are kept, `entries` their keys by the name of the list.
    """

    name: str
    source: tuple[str, ...]
    schema: pa.Schema
    form: str
    kept: Callable[[pa.Table], pa.Table]
    entries: Callable[[pa.Table], Mapping[str, Entries]]


def _fields(schema: pa.Schema, names: list[str]) -> list[pa.Field]:
    return [pa.field(name, schema.field(name).type) for name in names]


def _schema(*fields: pa.Field) -> pa.Schema:
    return pa.schema([*fields, pa.field(FILE_COLUMN, pa.int32())])


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0).to_numpy())


def _captures_kept(rows: pa.Table) -> pa.Table:
    """Of the outcomes only which dataset had which, of how many rows."""
    outcomes = rows["outcomes"].combine_chunks()
    flat = outcomes.flatten()
    pairs = pa.StructArray.from_arrays([pc.struct_field(flat, field.name).cast(field.type) for field in _OUTCOME], fields=list(_OUTCOME))
    lengths = pc.fill_null(pc.list_value_length(outcomes), 0).to_numpy()
    offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))), pa.int32())
    narrow = pa.ListArray.from_arrays(offsets, pairs, mask=outcomes.is_null())
    return rows.set_column(rows.schema.get_field_index("outcomes"), "outcomes", narrow)


def _captures_entries(rows: pa.Table) -> Mapping[str, Entries]:
    every, order = np.arange(rows.num_rows), _numbers(rows["fetched_at"])
    outcomes = rows["outcomes"].combine_chunks()
    parents = np.asarray(pc.list_parent_indices(outcomes))
    datasets, of_dataset, made = (pc.struct_field(outcomes.flatten(), name) for name in _OUTCOME.names)
    is_old = np.asarray(outcomes.is_null())
    is_article = np.asarray(pc.equal(datasets, "articles")).astype(bool)
    has_articles = is_old.copy()
    has_articles[parents[is_article]] = True
    with_article = is_old & np.asarray(pc.is_in(rows["outcome"], value_set=_WITH_ARTICLE))
    with_article[parents[is_article & np.asarray(pc.is_in(of_dataset, value_set=_WITH_ARTICLE))]] = True
    named = has_articles & np.asarray(pc.is_valid(rows["article_id"]))
    page, payload = hash_columns(PAGE, rows["url"]), hash_columns(PAYLOAD, rows["url"], rows["content_digest"])
    is_read = np.asarray(pc.greater(pc.fill_null(made, 0), 0)) | np.asarray(pc.not_equal(rows["record_type"], "revisit"))[parents]
    is_reading = ~is_article & is_read  # a revisit has rows only if its page was read again
    readings = parents[is_reading]
    reading = hash_columns(READING, datasets.filter(pa.array(is_reading)), rows["url"].take(pa.array(readings)))
    entries = [
        make_entries(page[has_articles], every[has_articles], order[has_articles]),
        # found by the page too, but in a group of its own: the last capture with an article
        make_entries(page[named], every[named], order[named], hash_columns(PAGE_ARTICLE, rows["url"])[named]),
        make_entries(payload[with_article], every[with_article], order[with_article]),
        make_entries(hash_columns(PLACE, *(rows[name] for name in _PLACE)), every),
        make_entries(reading, readings, order[readings]),
    ]
    return {FRONT: np.concatenate(entries)}


def _articles_kept(rows: pa.Table) -> pa.Table:
    """With the signatures of the texts, which are made anew from the texts, and a number for each text."""
    found = text_signatures(rows["text"].to_pylist())
    rows = rows.drop_columns(["text"]).append_column("signature", pa.array(found, pa.binary()))
    return rows.append_column("text_number", pa.array((hash_columns(TEXT, rows["text_digest"]) >> np.uint64(1)).astype(np.int64)))


def _articles_entries(rows: pa.Table) -> Mapping[str, Entries]:
    every = np.arange(rows.num_rows)
    original = np.asarray(pc.is_null(rows["duplicate_of"]))
    signed = np.flatnonzero(original & np.asarray(pc.is_valid(rows["signature"])))
    bands = bands_of(rows["signature"].take(pa.array(signed)).to_pylist())
    numbers = np.asarray(rows["text_number"])[signed]
    width = bands.shape[1]
    return {
        FRONT: np.concatenate(
            [
                make_entries(hash_columns(ARTICLE, rows["article_id"]), every),
                make_entries(hash_columns(TEXT, rows["text_digest"])[original], every[original]),
            ]
        ),
        BANDS: make_entries(bands.reshape(-1), np.repeat(signed, width), np.repeat(numbers, width)),
    }


def _runs_kept(rows: pa.Table) -> pa.Table:
    """Of the statistics only the definitions of the datasets, the rules by which their rows were judged, and what is held back."""
    statistics = [json.loads(text or "{}") for text in rows["statistics"].to_pylist()]
    for name in _OF_STATISTICS:
        rows = rows.append_column(name, pa.array([json.dumps(one.get(name, {})) for one in statistics], pa.string()))
    return rows.drop_columns(["statistics"])


def _runs_entries(rows: pa.Table) -> Mapping[str, Entries]:
    return {FRONT: make_entries(hash_columns(RUN, rows["process_run"]), np.arange(rows.num_rows))}


def _sightings_entries(rows: pa.Table) -> Mapping[str, Entries]:
    """Of the sightings of a key on a page the last to be planned and the last in time; all that say that it is on a page no more."""
    every, seen = np.arange(rows.num_rows), np.asarray(pc.is_valid(rows["seen_at"]))
    row, url = hash_columns(ROW, rows["dataset"], rows["row_id"]), hash_columns(SEEN_ON, rows["dataset"], rows["url"])
    pair = hash_columns("planned last", rows["dataset"], rows["row_id"], rows["url"])
    latest = hash_columns("seen last", rows["dataset"], rows["row_id"], rows["url"])
    planned, time = _planned(rows["crawl_run"]), _numbers(rows["seen_at"])
    on_page = np.asarray(pc.is_valid(rows["url"]))
    return {
        FRONT: np.concatenate(
            [
                make_entries(row[seen], every[seen], planned[seen], pair[seen]),
                make_entries(row[seen], every[seen], time[seen], latest[seen]),
                make_entries(row[~seen], every[~seen], 0, hash_columns("not seen", rows["dataset"], rows["row_id"])[~seen]),
                make_entries(url[on_page], every[on_page], planned[on_page], pair[on_page]),
            ]
        )
    }


def _planned(crawl_runs: pa.ChunkedArray) -> NDArray[np.int64]:
    """When each crawl run was planned, as a number that sorts by time; those of one second are equal."""
    found = pc.dictionary_encode(crawl_runs.combine_chunks())
    stamps = [int(re.sub(r"\D", "", planned_stamp(name)) or 0) for name in found.dictionary.to_pylist()]
    return np.asarray(np.array([*stamps, 0], np.int64)[np.asarray(found.indices)])


def _as_they_are(rows: pa.Table) -> pa.Table:
    return rows


def _dataset_entries(rows: pa.Table) -> Mapping[str, Entries]:
    every = np.arange(rows.num_rows)
    return {
        FRONT: np.concatenate(
            [
                make_entries(hash_columns(ROW, rows["row_id"]), every),
                make_entries(hash_columns(PLACE, *(rows[name] for name in _PLACE)), every),
            ]
        )
    }


CAPTURES_INDEX = IndexedTable(
    "captures",
    (*_CAPTURE_COLUMNS, "outcomes"),
    _schema(*_fields(CAPTURES, _CAPTURE_COLUMNS), pa.field("outcomes", pa.list_(_OUTCOME))),
    VERSION,
    _captures_kept,
    _captures_entries,
)
ARTICLES_INDEX = IndexedTable(
    "articles",
    (*_ARTICLE_COLUMNS, "text"),
    _schema(*_fields(ARTICLES, _ARTICLE_COLUMNS), pa.field("signature", pa.binary()), pa.field("text_number", pa.int64())),
    f"{VERSION}-{FORM}",
    _articles_kept,
    _articles_entries,
)
RUNS_INDEX = IndexedTable(
    "runs",
    (*_RUN_COLUMNS, "statistics"),
    _schema(*_fields(RUNS, _RUN_COLUMNS), *(pa.field(name, pa.string()) for name in _OF_STATISTICS)),
    f"{VERSION}-{'-'.join(_OF_STATISTICS)}",
    _runs_kept,
    _runs_entries,
)
SIGHTINGS_INDEX = IndexedTable(
    "sightings", tuple(SIGHTINGS.names), _schema(*_fields(SIGHTINGS, SIGHTINGS.names)), VERSION, _as_they_are, _sightings_entries
)
BUILT_IN_INDEXES = {one.name: one for one in (CAPTURES_INDEX, ARTICLES_INDEX, RUNS_INDEX, SIGHTINGS_INDEX)}


def index_of(name: str, schema: pa.Schema) -> IndexedTable:
    """What the index has of a table. `schema` is the table's now: of a dataset's table all of its columns are kept."""
    if name in BUILT_IN_INDEXES:
        return BUILT_IN_INDEXES[name]
    fields = [pa.field(field.name, field.type) for field in schema]
    return IndexedTable(name, tuple(schema.names), _schema(*fields), VERSION, _as_they_are, _dataset_entries)
