"""The capture index as Parquet, and CDXJ compared with the output of cdxj-indexer."""

from __future__ import annotations

import io
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import surt
from hypothesis import given
from hypothesis import strategies as st

from schemas.index import CAPTURE_INDEX
from storage.index import cdxj
from storage.index.cdxj import write_cdxj
from storage.index.rows import CaptureRow, read_index, write_index
from storage.urls.surt import registered_domain, split_url, surt_key
from storage.warc.writer import SegmentWriter, refers_to
from tests.storage.captures import ODD, PLAIN, numbered
from tests.storage.warc.test_warcwriter import segment


def test_rows_mirror_the_schema() -> None:
    assert [field.name for field in fields(CaptureRow)] == CAPTURE_INDEX.names


def test_rows_come_back_equal_from_parquet(tmp_path: Path) -> None:
    captures = [replace(capture, fetched_at=numbered(n).fetched_at) for n, capture in enumerate(ODD.values())]
    rows = segment(tmp_path / "a.warc.gz", *captures).rows
    data = write_index(rows)
    assert tuple(read_index(data)) == rows
    file = pq.ParquetFile(io.BytesIO(data))
    assert file.schema_arrow.equals(pa.schema(CAPTURE_INDEX))
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_an_index_without_rows() -> None:
    assert list(read_index(write_index([]))) == []


def indexed_by_others(*paths: Path, root: Path) -> list[str]:
    tool = str(Path(sys.executable).with_name("cdxj-indexer"))
    ended = subprocess.run([tool, "--sort", "--dir-root", str(root), *map(str, paths)], capture_output=True, text=True, check=True)
    return ended.stdout.splitlines(keepends=True)


def test_cdxj_equals_cdxj_indexers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdxj, "SORTED_LINES", 7)
    rows: list[CaptureRow] = []
    paths = []
    for number in range(3):
        key = f"warc/news/news-1/s{number}.warc.gz"
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = SegmentWriter(path, key, "news", "news-1", {})
        for place, capture in enumerate(ODD.values()):
            row = writer.write(replace(capture, fetched_at=numbered(100 * number + place).fetched_at))
            writer.write(replace(capture, fetched_at=numbered(100 * number + place + 50).fetched_at), refers_to(row))
        rows += writer.close().rows
        paths.append(path)
    assert write_cdxj(iter(rows), tmp_path / "ours.cdxj") == len(rows)
    with (tmp_path / "ours.cdxj").open(encoding="utf-8") as ours:
        assert list(ours) == indexed_by_others(*paths, root=tmp_path)


def test_cdxj_of_many_rows_in_little_memory_and_few_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdxj, "SORTED_LINES", 500)
    monkeypatch.setattr(cdxj, "MERGED_FILES", 7)  # 40 chunks: 5 files of the second level
    open_files: list[int] = []
    (row,) = segment(tmp_path / "a.warc.gz", PLAIN).rows

    def many() -> Iterator[CaptureRow]:
        for number in range(20_000):
            if number % 500 == 0:
                open_files.append(len(list(Path("/proc/self/fd").iterdir())))
            yield replace(row, url_surtkey=f"com,example)/{number * 7919 % 20_000:05d}")

    tracemalloc.start()
    assert write_cdxj(many(), tmp_path / "ours.cdxj") == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (tmp_path / "ours.cdxj").stat().st_size / 2
    assert max(open_files) - open_files[0] <= 7 + 5
    with (tmp_path / "ours.cdxj").open() as lines:
        keys = [line.split(" ", 1)[0] for line in lines]
    assert keys == sorted(keys)


def test_surt_keys() -> None:
    assert surt_key("http://www.Example.com:80/A/?b=1&a=2#f") == "com,example)/a?a=2&b=1"
    assert surt_key("http://127.0.0.1:8000/x") == "1,0,0,127:8000)/x"
    assert surt_key("http://h:port/") == "http://h:port/"


SITES = [
    "www.1.www.x",
    "www-1.x",
    "example.com",
    "www.example.com",
    "www3.a-b.co.uk",
    "1.2.3.4",
    "127.0.0.1:8000",
    "1.2",
    "010.1.1.1",
    "999.1.1.1",
    "a..b",
    "a.",
    "a.b:80",
    "a:0",
]


@given(st.sampled_from(["http", "https"]), st.sampled_from(SITES), st.text("aBcsid09-_~./:@,+=%?&()", max_size=14))
def test_surt_keys_are_the_librarys(scheme: str, site: str, path: str) -> None:
    url = f"{scheme}://{site}/{path}"
    assert surt_key(url) == surt.surt(url)


@given(st.text(max_size=30))
def test_no_url_breaks_the_index(text: str) -> None:
    url = "http://" + text.encode("utf-8", "replace").decode()
    assert surt_key(url)
    assert isinstance(split_url(url).host, str)


def test_registered_domains_need_no_network() -> None:
    assert registered_domain("a.github.io") == "github.io"
    assert registered_domain("www.news.example.co.uk") == "example.co.uk"
    assert registered_domain("127.0.0.1") is None
    assert registered_domain("localhost") is None
