"""The staged rows of a segment's records, made column by column: neither a row nor a block becomes a dict, which takes twice as long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import chain
from operator import attrgetter

import numpy as np
import pyarrow as pa

from processing.clean.identity import bucket_of
from processing.extract.page_tasks import ReadPage
from processing.extract.rejections import type_of
from processing.staging.staging import EXTRACTED, METADATA_COLUMNS, Row, stored_blocks, stored_markup
from schemas.article import Article
from schemas.outcomes import Rejected
from storage.index.rows import CaptureRow
from storage.urls.host_key import host_key

Columns = dict[str, Sequence[object]]
Outcome = ReadPage | Rejected | None  # of a record; None is a revisit
# Staged under the name that they have in the capture index, or in an `Article`.
_INDEX_COLUMNS = [field.name for field in fields(CaptureRow) if field.name in EXTRACTED.names]
_ARTICLE_COLUMNS = [field.name for field in fields(Article) if field.name in METADATA_COLUMNS]
_OF_BLOCKS = "blocks", "markup"


def extracted_rows(records: Sequence[tuple[CaptureRow, Outcome]]) -> pa.Table:
    """The staged rows of records, in their order, as a table of the schema EXTRACTED."""
    articles = [outcome.article if isinstance(outcome, ReadPage) else None for _, outcome in records]
    of_blocks = {"blocks": _blocks(articles), "markup": _markup(articles)}
    values = _of_index([row for row, _ in records]) | _of_outcomes([outcome for _, outcome in records]) | _of_articles(articles)
    columns = [of_blocks[field.name] if field.name in _OF_BLOCKS else pa.array(values[field.name], field.type) for field in EXTRACTED]
    return pa.table(columns, schema=EXTRACTED)


def article_columns(result: ReadPage) -> Row:
    """An article as columns of a staged row."""
    article = result.article
    return {name: getattr(article, name) for name in _ARTICLE_COLUMNS} | {
        "page_type": str(article.page_type),
        "authors": list(article.authors),
        "tags": list(article.tags),
        "blocks": stored_blocks(article.blocks),
        "markup": stored_markup(article.markup),
        "container": article.container,
        "charset": result.charset,
        "charset_source": result.charset_source,
    }


def _of_index(rows: Sequence[CaptureRow]) -> Columns:
    hosts = [host_key(row.url) for row in rows]
    columns: Columns = {name: list(map(attrgetter(name), rows)) for name in _INDEX_COLUMNS}
    columns |= {"bucket": [bucket_of(host) for host in hosts], "host": hosts, "fetched_at": [row.fetch_time for row in rows]}
    return columns


def _of_outcomes(outcomes: Sequence[Outcome]) -> Columns:
    rejected = [outcome if isinstance(outcome, Rejected) else None for outcome in outcomes]
    read = [outcome if isinstance(outcome, ReadPage) else None for outcome in outcomes]
    types = [one and type_of(one.reason) if page is None else str(page.article.page_type) for one, page in zip(rejected, read, strict=True)]
    return {
        "reason": [one and str(one.reason) for one in rejected],
        "detail": [one and (one.detail or None) for one in rejected],
        "page_type": types,
        "charset": [page and page.charset for page in read],
        "charset_source": [page and page.charset_source for page in read],
    }


def _of_articles(articles: Sequence[Article | None]) -> Columns:
    names = [*_ARTICLE_COLUMNS, "container"]
    return {name: [None if article is None else getattr(article, name) for article in articles] for name in names}


def _blocks(articles: Sequence[Article | None]) -> pa.Array:
    of_articles = [() if article is None else article.blocks for article in articles]
    flat = list(chain.from_iterable(of_articles))
    kind = EXTRACTED.field("blocks").type
    columns = {name: list(map(attrgetter(name), flat)) for name in ("kind", "text", "level", "link_density")}
    members = [pa.array(columns[one.name], one.type) if one.name in columns else pa.nulls(len(flat), one.type) for one in kind.value_type]
    structs = pa.StructArray.from_arrays(members, fields=list(kind.value_type))
    ends = np.cumsum([len(blocks) for blocks in of_articles])
    offsets = pa.array(np.concatenate((np.zeros(1), ends)), pa.int32())
    return pa.ListArray.from_arrays(offsets, structs, kind, mask=pa.array([article is None for article in articles], pa.bool_()))


def _markup(articles: Iterable[Article | None]) -> pa.Array:
    return pa.array([None if article is None else stored_markup(article.markup) for article in articles], EXTRACTED.field("markup").type)
