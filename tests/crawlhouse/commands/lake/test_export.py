"""`crawlhouse export`: files are whole or not there, a selection is what was asked for, and a WACZ holds what replay needs."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
from cdxj_indexer.main import CDXJIndexer

from crawlhouse.actions.lake.export import run_export
from crawlhouse.output import row_formats
from crawlhouse.sql.table import RowFilter
from schemas.config.settings import Settings, make_settings
from schemas.errors import ConfigError, NotFoundError
from schemas.keys import index_key, segment_key
from storage.index.rows import write_index
from storage.lake.takedown import add_takedowns
from storage.objects.open import open_store
from storage.warc.reader import Record, read_records
from storage.warc.repair import repair
from tests import PROJECT
from tests.crawlhouse.smalllake import ARTICLE, COPY, CRAWL, CRAWL_RUN, MISSING, publish_small_lake
from tests.warm.killed import command_killed_at, environment_of

ALL = RowFilter()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("export") / "home"
    publish_small_lake(home)
    settings = make_settings(home=home)
    store, key = open_store(settings), segment_key(CRAWL, CRAWL_RUN, "s1")
    segment = home / "s1.warc.gz"
    segment.write_bytes(store.get_bytes(key))
    store.put_bytes(index_key(CRAWL, CRAWL_RUN, "s1"), write_index(repair(segment).rows))
    return settings


def lines(file: Path) -> list[str]:
    return [json.loads(line)["url"] for line in gzip.decompress(file.read_bytes()).splitlines()]


def test_every_table_into_a_folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_formats, "ROW_GROUP_ROWS", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "export.json").write_text("{}")
    run_export(settings, [], str(tmp_path / "out"), None, ALL)
    listed = json.loads((tmp_path / "out" / "export.json").read_text())
    assert listed["sequence"] == 1
    assert {name: one["rows"] for name, one in listed["tables"].items()} == {
        "articles": 3, "captures": 4, "quarantine": 0, "runs": 1, "sightings": 0,
    }  # fmt: skip
    for one in listed["tables"].values():
        file = tmp_path / "out" / one["file"]
        assert (file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()) == (one["bytes"], one["sha256"])
        assert pl.read_parquet(file).height == one["rows"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        ["export.json", *(f"{name}.parquet" for name in listed["tables"])]
    )


def test_a_selection_into_one_file(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "new" / "b.jsonl.gz"
    run_export(settings, ["articles_latest"], str(file), None, RowFilter(host="B.example", crawl=CRAWL, crawl_run=CRAWL_RUN))
    assert lines(file) == [COPY]
    run_export(settings, ["captures"], str(file), None, RowFilter(since="2026-01-01T14:00:00Z"))
    assert sorted(lines(file)) == sorted([COPY, MISSING])


def test_what_cannot_be_is_said_before_anything_is_written(settings: Settings, tmp_path: Path) -> None:
    for tables, output, form, wanted, error in (
        (["arts"], "out", None, ALL, NotFoundError),
        ([], "out", None, RowFilter(crawl="nobody"), NotFoundError),
        ([], "x.wacz", None, RowFilter(host="nowhere.example"), NotFoundError),
        (["articles"], "x.csv", None, ALL, ConfigError),
        (["articles"], "", None, ALL, ConfigError),
        (["articles"], "x.jsonl", None, RowFilter(host="example"), NotFoundError),
        (["runs"], "out", None, RowFilter(host="b.example"), ConfigError),
        ([], "x.parquet", None, ALL, ConfigError),
        (["runs"], "x.parquet", "jsonl", ALL, ConfigError),
        (["runs"], "x.wacz", None, ALL, ConfigError),
        ([], "out", "wacz", ALL, ConfigError),
    ):
        with pytest.raises(error):
            run_export(settings, tables, output and str(tmp_path / output), form, wanted)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_wacz_has_the_captures_for_replay(settings: Settings, tmp_path: Path) -> None:
    add_takedowns(settings, open_store(settings), ["https://b.example/*"])
    run_export(settings, [], str(tmp_path / "x.wacz"), None, RowFilter(crawl=CRAWL))
    with zipfile.ZipFile(tmp_path / "x.wacz") as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    package = json.loads(files["datapackage.json"])
    assert json.loads(files["datapackage-digest.json"])["hash"] == f"sha256:{hashlib.sha256(files['datapackage.json']).hexdigest()}"
    for one in package["resources"]:
        assert (one["bytes"], one["hash"]) == (len(files[one["path"]]), f"sha256:{hashlib.sha256(files[one['path']]).hexdigest()}")
    warc = files["archive/data.warc.gz"]
    found = list(read_records(io.BytesIO(warc), "data.warc.gz"))
    assert [one.capture.url for one in found if isinstance(one, Record)] == [ARTICLE, ARTICLE, MISSING]
    assert all(one.capture.request_headers for one in found if isinstance(one, Record))
    (tmp_path / "data.warc.gz").write_bytes(warc)
    CDXJIndexer(str(tmp_path / "judged.cdxj"), [str(tmp_path / "data.warc.gz")], sort=True, post_append=True).process_all()
    index = gzip.decompress(files["indexes/index.cdx.gz"]).decode()
    assert index == (tmp_path / "judged.cdxj").read_text()
    blocks = [json.loads(line.split(" ", 2)[2]) for line in files["indexes/index.idx"].decode().splitlines()]
    assert (blocks[0]["format"], blocks[1]["length"]) == ("cdxj-gzip-1.0", len(files["indexes/index.cdx.gz"]))
    pages = [json.loads(line) for line in files["pages/pages.jsonl"].decode().splitlines()]
    assert [(page["url"], page["title"]) for page in pages[1:]] == [(ARTICLE, "Sturm in Köln")] * 2


@pytest.mark.chaos
@pytest.mark.parametrize("where_to", ["folder", "s3"])
def test_a_killed_export_leaves_whole_files_or_none(
    settings: Settings, tmp_path: Path, where_to: str, request: pytest.FixtureRequest
) -> None:
    given: Settings = request.getfixturevalue("s3_settings") if where_to == "s3" else settings
    settings = settings.model_copy(update={"s3_endpoint": given.s3_endpoint})
    output = f"{given.store}/out" if where_to == "s3" else str(tmp_path / "out")
    place = open_store(settings.model_copy(update={"store": output}))

    def killed(point: str, *arguments: str) -> bool:
        return command_killed_at(point, settings, "export", *arguments) == -signal.SIGKILL

    def found() -> list[str]:
        """What a recursive pattern finds of the formats, and the list."""
        return [info.key for info in place.list("") if info.key.endswith((".parquet", ".gz", ".wacz", ".json"))]

    names = [f"{table}.parquet" for table in ("articles", "captures", "quarantine", "runs", "sightings")]
    for point, count in (("export.batch", 0), ("export.written:2", 1), ("export.after.table:5", 5)):
        assert killed(point, "-o", output), point
        assert found() == names[:count], point
    for point in ("export.batch", "export.written"):
        for what in (("articles", "-o", f"{output}/one.jsonl.gz"), ("-c", CRAWL, "-o", f"{output}/one.wacz")):
            assert killed(point, *what), (point, what)
            assert found() == names, (point, what)
    assert command_killed_at("", settings, "export", "-o", output) == 0
    listed = json.loads(place.get_bytes("export.json"))["tables"].values()
    assert {one["file"]: one["sha256"] for one in listed} == {name: hashlib.sha256(place.get_bytes(name)).hexdigest() for name in names}
    assert [info.key for info in place.list("")] == sorted(["export.json", *names]), "what the killed ones left is removed"
    whole = place.get_bytes(names[0])
    assert killed("export.written", "runs", "-o", f"{output}/{names[0]}")
    assert place.get_bytes(names[0]) == whole, "that of before"


def test_a_query_beside_a_takedown_list_imports_no_pandas(settings: Settings) -> None:
    """It costs as much as all the rest of a short query."""
    add_takedowns(settings, open_store(settings), ["https://b.example/*"])
    code = "import sys; from crawlhouse.sql.query import run_sql; from schemas.config.settings import load_settings\n"
    code += "print(run_sql(load_settings(), 'FROM captures').arrow().num_rows, 'pandas' in sys.modules)"
    environment = environment_of(settings)
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "3 False\n"
