"""Which data files may have a value is told by the Bloom filters that Arrow wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.config.settings import Settings, make_settings
from storage.lake.parquet.bloom_filters import key_of
from storage.lake.parquet.layout import writer_options
from storage.lake.reader.file_filters import NAME, FileFilters
from storage.lake.reader.lake_table import LakeTable

SCHEMA = pa.schema([(name, pa.string()) for name in ("url", "canonical_url", "article_id", "duplicate_of")])
Row = tuple[str, str | None, str, str | None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = make_settings(home=tmp_path / "home")
    settings.home.mkdir()
    return settings


def write(path: Path, rows: Sequence[Row], *, filters: bool = True) -> str:
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)
    options = writer_options(SCHEMA, len(rows)) if filters else {}
    with pq.ParquetWriter(path, SCHEMA, **options) as writer:
        writer.write_table(table, row_group_size=200)
    return str(path)


def table_of(*files: str) -> LakeTable:
    return LakeTable("articles", (), dict.fromkeys(files, 1))


def filters_of(settings: Settings, table: LakeTable) -> FileFilters:
    with duckdb.connect() as connection:
        return FileFilters(connection, settings, [table])


@pytest.mark.parametrize(("text", "key"), [("", 0xEF46DB3751D8E999), ("a", 0xD24EC4F1A98C6E5B), ("abc", 0x44BC2CF5AD770999)])
def test_keys_are_xxh64(text: str, key: int) -> None:
    assert key_of(text) == key


def test_every_value_is_found_and_few_others(settings: Settings, tmp_path: Path) -> None:
    texts = [f"{number:05d}{'é/' * number}"[: 5 + number // 4] for number in range(500)]  # of all lengths up to some rounds of the hash
    file = write(tmp_path / "a.parquet", [(text, None, text[::-1], None) for text in texts])
    filters, table = filters_of(settings, table_of(file)), table_of(file)
    assert all(filters.narrowed(table, "url", text) for text in texts)
    assert all(filters.narrowed(table, "article_id", text[::-1]) for text in texts)
    assert sum(bool(filters.narrowed(table, "url", f"x{text}")) for text in texts) < 50  # .01 each of three filters
    assert not any(filters.narrowed(table, "canonical_url", text) for text in texts)


def test_a_file_has_what_one_of_its_row_groups_has(settings: Settings, tmp_path: Path) -> None:
    rows: list[Row] = [(f"u{number}", f"c{number}" if number > 450 else None, "a", None) for number in range(500)]
    file = write(tmp_path / "a.parquet", rows)
    table = table_of(file, write(tmp_path / "b.parquet", [("other", None, "b", None)]))
    filters = filters_of(settings, table)
    assert [list(filters.narrowed(table, *asked)) for asked in (("url", "u0"), ("url", "u499"), ("canonical_url", "c499"))] == [[file]] * 3


def test_originals_are_known_without_a_filter(settings: Settings, tmp_path: Path) -> None:
    table = table_of(
        write(tmp_path / "a.parquet", [("u", None, "copy", "original")]), write(tmp_path / "b.parquet", [("v", None, "original", None)])
    )
    filters = filters_of(settings, table)
    assert list(filters.narrowed(table, "duplicate_of", "original")) == [str(tmp_path / "a.parquet")]


def test_a_file_without_filters_may_have_anything(settings: Settings, tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", [("u", None, "a", None)], filters=False)
    table = table_of(file)
    assert list(filters_of(settings, table).narrowed(table, "url", "nothing")) == [file]


def test_filters_are_kept_and_those_of_new_files_added(settings: Settings, tmp_path: Path) -> None:
    first, second = (write(tmp_path / f"{name}.parquet", [(name, None, name, None)]) for name in "ab")
    assert list(filters_of(settings, table_of(first)).narrowed(table_of(first), "url", "a")) == [first]
    Path(first).rename(tmp_path / "moved")  # so that its footer cannot be read again
    both = table_of(first, second)
    assert list(filters_of(settings, both).narrowed(both, "duplicate_of", "a")) == []
    assert (settings.home / NAME).stat().st_mode & 0o077 == 0
    filters_of(settings, replace(both, files={second: 1}))  # the other is not live any more, and stays until files are added
    assert first in (settings.home / NAME).read_text()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"form": [0, 4], "files": {}}', b'{"form": [1, 4], "files": {"x": 1}}', b'{"form": [1, 4], "files": []}', b"[]"],
)
def test_a_damaged_file_of_the_home_is_written_again(settings: Settings, tmp_path: Path, content: bytes) -> None:
    (settings.home / NAME).write_bytes(content)
    file = write(tmp_path / "a.parquet", [("u", None, "a", None)])
    filters, table = filters_of(settings, table_of(file)), table_of(file)
    assert [list(filters.narrowed(table, "url", value)) for value in ("u", "nothing")] == [[file], []]
    assert file in (settings.home / NAME).read_text()


@pytest.mark.parametrize("filters", [{"blooms": {"url": ["x"]}, "originals": "x"}, {"blooms": {"url": 1}, "originals": "AAA="}])
def test_filters_that_are_damaged_leave_no_file_out(settings: Settings, tmp_path: Path, filters: dict[str, object]) -> None:
    file = write(tmp_path / "a.parquet", [("u", None, "a", None)])
    (settings.home / NAME).write_text(json.dumps({"form": [1, 4], "files": {file: filters}}))
    for column in ("url", "duplicate_of"):
        assert list(filters_of(settings, table_of(file)).narrowed(table_of(file), column, "nothing")) == [file]
