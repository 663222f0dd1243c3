"""Rows that are taken down are hidden, and only files that have some are read for it again."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from schemas.config.settings import Settings, make_settings
from storage.lake.lake import open_lake
from storage.lake.query import connect
from storage.lake.reader.lake_objects import path_of
from storage.lake.reader.tables import read_tables
from storage.lake.reader.taken_down import NAME
from storage.lake.takedown import KEY
from storage.objects.open import open_store
from tests.storage.lakerows import table_of

A, B, C = "https://a.example/x", "https://b.example/x", "https://c.example/x"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = make_settings(home=tmp_path / "home")
    publish(settings, "p1", A)
    publish(settings, "p2", B, canonical="https://canonical.example/b")
    return settings


def publish(settings: Settings, run: str, url: str, canonical: str | None = None) -> None:
    with open_lake(settings) as lake:
        row = {"process_run": run, "url": url, "article_id": url, "version": 1}
        lake.append("articles", [table_of("articles", row | {"canonical_url": canonical})], run)
        lake.append("captures", [table_of("captures", row)], run)
        lake.append("runs", [table_of("runs", {"process_run": run})], run)


def take_down(settings: Settings, *entries: str) -> None:
    open_store(settings).put_bytes(KEY, "".join(f"{entry}\n" for entry in entries).encode())


def shown(settings: Settings) -> tuple[list[str], list[str]]:
    with connect(settings) as lake:
        articles, captures = (lake.sql(f"SELECT url FROM {name} ORDER BY url").fetchall() for name in ("articles", "captures"))
    return [url for (url,) in articles], [url for (url,) in captures]


def test_rows_of_later_files_and_of_a_changed_list_are_hidden(settings: Settings) -> None:
    take_down(settings, "a.example")
    assert shown(settings) == ([B], [B])
    publish(settings, "p3", A)
    publish(settings, "p4", C)
    assert shown(settings) == ([B, C], [B, C])
    take_down(settings, "a.example", "https://canonical.example/*")
    assert shown(settings) == ([C], [C])
    take_down(settings, C)
    assert shown(settings) == ([A, A, B], [A, A, B])


def test_files_without_such_rows_are_not_read_again(settings: Settings) -> None:
    take_down(settings, "a.example")
    assert shown(settings) == ([B], [B])
    for name in ("articles", "captures"):
        for file in read_tables(settings)[name].files:
            if B.encode() in (data := Path(path_of(file)).read_bytes()):
                footer = 8 + int.from_bytes(data[-8:-4], "little")  # it is read to make the view
                Path(path_of(file)).write_bytes(data[:4] + bytes(len(data) - 4 - footer) + data[-footer:])
    with connect(settings) as lake:
        assert lake.sql("SELECT count(*) FROM sources.taken_down").fetchall() == [(1,)]
    (settings.home / NAME).unlink()
    with pytest.raises(duckdb.Error):
        connect(settings)


def test_the_kept_file_has_no_url_and_may_be_damaged(settings: Settings) -> None:
    take_down(settings, A)
    expected, kept = shown(settings), settings.home / NAME
    assert b"a.example" not in kept.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    for damaged in (b"", b"[]", b'{"of": 1, "files": {}}', kept.read_bytes().replace(b'"files": {', b'"files": 1, "x": {')):
        kept.write_bytes(damaged)
        assert shown(settings) == expected == ([B], [B])
