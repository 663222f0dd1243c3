"""An article's words are stored once: its blocks have places in the text, and every reader gets their texts back, also of older rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from schemas.article import Block, BlockKind, plain_text
from schemas.config.settings import Settings
from schemas.tables import ARTICLES, BLOCK, QUARANTINE
from storage.lake import tables as laketables
from storage.lake.lake import Lake, open_lake
from storage.lake.maintenance import maintain
from storage.lake.parquet.block_texts import with_block_texts, without_block_texts
from storage.lake.query import connect
from storage.lake.reader.lake_file import write_lake_file
from tests.storage.lakerows import rows_of, table_of

pytestmark = pytest.mark.servers_in_chaos

Blocks = list[dict[str, object]]
STORIES: dict[str, list[tuple[str, str]] | None] = {
    "1": [("heading", "Größe 😀"), ("caption", "A picture"), ("paragraph", "One"), ("code", "a\n  b"), ("list_item", "One")],
    "2": [("caption", "Nothing but a picture")],
    "3": [("paragraph", "漢字とかな"), ("paragraph", ""), ("quote", "𝒳")],
    "4": [],
    "5": None,  # tables do not keep it apart from an empty list
}
OF_EARLIER_RELEASE = pa.schema([field.with_type(pa.list_(BLOCK)) if field.name == "blocks" else field for field in ARTICLES])
MEMBERS = ("kind", "text", "level", "link_density")
SQL = "SELECT url, blocks FROM {} ORDER BY url"


@pytest.fixture(params=["sqlite-directory", "postgresql-s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty lake, once local and once on servers."""
    if request.param == "sqlite-directory":
        return Settings(home=tmp_path / "home", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3.model_copy(update={"database": request.getfixturevalue("postgres_url")})


def _blocks(key: str) -> Blocks | None:
    story = STORIES[key]
    return None if story is None else [{"kind": kind, "text": text, "level": 1, "link_density": 0.5} for kind, text in story]


def _rows(prefix: str, process_run: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for key, story in STORIES.items():
        text = plain_text(tuple(Block(BlockKind(kind), text) for kind, text in story or ()))
        url = f"https://a.example/{prefix}{key}"
        rows.append({"url": url, "article_id": url, "process_run": process_run, "text": text, "blocks": _blocks(key)})
    return rows


def _plain(blocks: Sequence[dict[str, object]] | None) -> Blocks:
    return [{name: block[name] for name in MEMBERS} for block in blocks or ()]


def _expected(*prefixes: str) -> list[tuple[str, Blocks]]:
    return [(f"https://a.example/{prefix}{key}", _blocks(key) or []) for prefix in prefixes for key in STORIES]


def _publish(lake: Lake, process_run: str, prefix: str) -> None:
    lake.append("articles", [table_of("articles", *_rows(prefix, process_run))], process_run)
    lake.append("runs", [table_of("runs", {"process_run": process_run})], process_run)


def _seen(settings: Settings, table: str = "articles") -> list[tuple[str, Blocks]]:
    with connect(settings) as connection:
        return [(url, _plain(blocks)) for url, blocks in connection.sql(SQL.format(table)).fetchall()]


def test_rows_of_an_earlier_release_are_read_beside_new_ones(lake_settings: Settings) -> None:
    """Before the table is changed, with files of both kinds, and when maintenance has joined them; in the views and by `scan`."""
    with open_lake(lake_settings) as lake:
        table = laketables.create_table(lake._catalog, "articles", OF_EARLIER_RELEASE, lake.warehouse, {})
        table.append(rows_of(OF_EARLIER_RELEASE, *_rows("a", "p1")))
        lake.append("runs", [table_of("runs", {"process_run": "p1"})], "p1")
        assert _seen(lake_settings) == _expected("a"), "the table as the earlier release left it"
        for run in "bcd":
            _publish(lake, f"p-{run}", run)
        assert _seen(lake_settings) == _seen(lake_settings, "articles_latest") == _expected(*"abcd")
        found = {row["url"]: _plain(row["blocks"]) for batch in lake.scan("articles", ["blocks", "url"]) for row in batch.to_pylist()}
        assert found == dict(_expected(*"abcd"))
        assert maintain(lake_settings).rows_rewritten == 20 + 4, "articles, and runs"
        assert _seen(lake_settings) == _expected(*"abcd")
        (file,) = lake.live_files("articles")
        with lake.table("articles").io.new_input(file).open() as stream:
            stored = pq.read_table(stream, columns=["blocks"])["blocks"]
    texts = pc.struct_field(pc.list_flatten(stored), "text")
    assert set(texts.to_pylist()) == {None, "", "A picture", "Nothing but a picture"}, "the words of old rows are stored once too"


def test_lake_file_gives_the_texts_back(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        _publish(lake, "p1", "a")
        lake.append("quarantine", [table_of("quarantine", *_rows("q", "p1"))], "p1")
    key = write_lake_file(sqlite_settings)
    with duckdb.connect(str(sqlite_settings.home / "store" / key), read_only=True) as connection:
        for table, prefix in (("articles_latest", "a"), ("quarantine", "q")):
            found = connection.sql(SQL.format(table)).fetchall()
            assert [(url, _plain(blocks)) for url, blocks in found] == _expected(prefix)


def test_a_text_that_is_not_that_of_the_blocks_leaves_theirs_alone() -> None:
    rows = rows_of(QUARANTINE, *({"text": text, "blocks": _blocks("1")} for text in ("One", None, "Größe 😀\nOne\na\n  b\nOne")))
    stored = without_block_texts(rows)
    kept = [[block["text"] for block in blocks] for blocks in stored["blocks"].to_pylist()]
    whole = [text for _, text in STORIES["1"] or ()]
    assert kept == [whole, whole, [None, "A picture", None, None, None]]
    again = without_block_texts(stored)
    assert again.equals(stored), "places stay"
    (batch,) = again.combine_chunks().to_batches()
    assert [_plain(blocks) for blocks in with_block_texts(batch)["blocks"].to_pylist()] == [_blocks("1")] * 3


def test_rows_of_a_slice_keep_their_own_blocks() -> None:
    rows = rows_of(ARTICLES, *_rows("a", "p1"), *_rows("b", "p1")).slice(2, 6)
    (batch,) = without_block_texts(rows).combine_chunks().to_batches()
    assert [_plain(blocks) for blocks in with_block_texts(batch)["blocks"].to_pylist()] == [_blocks(key) or [] for key in "345123"]
