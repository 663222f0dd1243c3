"""The staged rows of records, made column by column, and which of their columns have dictionaries."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from processing.clean.identity import bucket_of
from processing.extract.extracted_rows import article_columns, extracted_rows
from processing.extract.page_tasks import ReadPage
from processing.staging.staging import EXTRACTED, staged_writer
from schemas.article import Article, Block, BlockKind, BlockMarkup
from schemas.config.settings import Settings
from schemas.outcomes import Reason, Rejected
from storage.index.rows import CaptureRow
from storage.objects.open import open_store

FETCHED = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLOCKS = (Block(BlockKind.HEADING, "Über uns", 2), Block(BlockKind.PARAGRAPH, "A ferry.", link_density=0.25))


def index_row(offset: int) -> CaptureRow:
    values = dict.fromkeys(field.name for field in fields(CaptureRow))
    values |= {"url": f"https://News.example:443/{offset}", "fetch_time": FETCHED, "fetch_status": 200, "content_digest": "sha1:A"}
    values |= {"warc_filename": "f", "warc_record_offset": offset, "warc_record_length": 9, "record_type": "response", "kind": "page"}
    return CaptureRow(**values | {"crawl": "news", "crawl_run": "news-1"})  # type: ignore[arg-type]


ARTICLE = Article(
    "https://news.example/1", BLOCKS, title="Ferry", authors=("Ann", "Bo"), published_at=FETCHED, container="div.story",
    markup=(BlockMarkup("## Über uns", (), ()), BlockMarkup("A ferry.", (), ("/a.png",))),
)  # fmt: skip
READ = ReadPage(ARTICLE, "utf-8", "http")
REFUSED = Rejected("https://news.example/2", "f", 2, "page_type", Reason.HUB, "")


def test_each_record_becomes_the_row_that_it_says() -> None:
    table = extracted_rows([(index_row(0), None), (index_row(1), READ), (index_row(2), REFUSED)])
    assert table.schema.equals(EXTRACTED)
    revisit, article, refused = table.to_pylist()
    columns = article_columns(READ)
    schema = pa.schema([EXTRACTED.field(name) for name in columns])
    (expected,) = pa.Table.from_pylist([columns], schema=schema).to_pylist()
    assert {name: article[name] for name in expected} == expected
    assert (article["reason"], article["host"], article["bucket"]) == (None, "news.example", bucket_of("news.example"))
    assert (article["url"], article["fetched_at"], article["fetch_status"]) == ("https://News.example:443/1", FETCHED, 200)
    assert (refused["reason"], refused["detail"], refused["page_type"]) == ("hub", None, "hub")
    for row in (revisit, refused):
        assert [row[name] for name in ("blocks", "markup", "authors", "title", "container", "charset")] == [None] * 6
    assert (revisit["reason"], revisit["page_type"], revisit["warc_record_offset"]) == (None, None, 0)


def test_no_records_are_no_rows() -> None:
    assert extracted_rows([]).equals(EXTRACTED.empty_table())


def test_only_columns_whose_values_repeat_have_dictionaries(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path, crawls=tmp_path))
    with staged_writer(store, "rows.parquet", EXTRACTED) as writer:
        writer.write(extracted_rows([(index_row(number), READ) for number in range(3)]))
    with store.open("rows.parquet") as stream:
        group = pq.read_metadata(stream).row_group(0)
    columns = [group.column(place) for place in range(group.num_columns)]
    has_dictionary = {column.path_in_schema: column.has_dictionary_page for column in columns}
    wanted = {"host": True, "blocks.list.element.kind": True, "blocks.list.element.text": False, "url": False}
    assert {name: has_dictionary[name] for name in wanted} == wanted
