"""Items of users' spiders: which kinds are stored, in which form, with which origin and types."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.config.settings import Settings
from schemas.errors import StorageError
from schemas.items import Field, ItemFieldType, ItemProblem, ItemType, StoredItem
from schemas.keys import segment_item_types_key, segment_items_key
from spiders.custom.item_json import UnstorableItemError, described_item, item_json
from spiders.spool.items import BUFFER_BYTES, ItemBuffer, append_items, pack_items
from storage.index.items import read_item_types, read_items, read_items_file
from storage.index.rows import CaptureRow
from storage.objects.open import open_store
from tests.spiders.crawling import Crawled, crawl_urls, own_scope
from tests.spiders.owncrawls import items_of, run
from tests.spiders.ownitems import SEEN_AT
from tests.spiders.smallserver import Headers, SmallServer, small_server

MANY = 50_000
ITEM_BYTES = 1_200  # of an item of `Many` as JSON, about


def run_items(name: str, server: SmallServer, settings: Settings, extra: str = "") -> Crawled:
    return crawl_urls(settings, [], f"spider: tests.spiders.ownitems:{name}\n{own_scope(server.base)}\n{extra}")


def stored(done: Crawled, settings: Settings) -> list[StoredItem]:
    manifest = done.manifest
    return list(read_items(manifest.crawl, manifest.crawl_run, manifest.segments, open_store(settings)))


def page(path: str, times: int) -> tuple[int, Headers, bytes]:
    return (404, {}, b"") if "." in path else (200, {}, b"<p>Here.")


@pytest.fixture
def kinds(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> Crawled:
    with small_server(page) as server:
        at(server)
        return run_items("Kinds", server, sqlite_settings)


def test_every_kind_of_item_is_stored_as_faithful_json(kinds: Crawled, sqlite_settings: Settings) -> None:
    items = [one for one in stored(kinds, sqlite_settings) if one.url.endswith("/kinds")]
    assert [(one.position, one.type) for one in items] == list(enumerate(["Named", "Goods", "Plain", "Offered", "Model", "Product"]))
    named, goods, plain, attrs, model, product = (one.item for one in items)
    assert named == {"type": "Named", "n": 1}
    assert goods == {
        "name": "Kettle, \u201cblue\u201d\n",
        "price": "1299.00",
        "offers": [{"price": "1E+3", "valid_until": "2026-03-01"}, {"price": "0.10", "valid_until": None}],
        "seen_at": "2026-02-03T04:05:06.000789+02:00",
        "opens": "09:30:00",
        "lasts": "PT1H30M",
        "tags": ["kitchen"],
        "size": [10, 20],
        "weight": None,
        "in_stock": True,
        "stock": None,
        "colour": "red",
        "number": "00000000-0000-0000-0000-000000000001",
        "state": "new",
        "amount": 1,
        "either": 1,
        "extra": {"deep": [{"at": "2026-02-03T02:05:06.000789Z"}], "bytes": "ab"},
        "best": {"price": "0.10", "valid_until": None},
    }
    assert datetime.fromisoformat(goods["seen_at"]) == SEEN_AT
    assert plain == {"name": "plain", "offer": {"price": "2.50", "valid_until": None}}
    assert attrs == {"name": "attrs", "offers": [{"price": "3.00", "valid_until": None}]}
    assert model == {"name": "model", "price": "0.10", "at": "2026-02-03T04:05:06.000789+02:00"}
    assert product == {"url": "https://x.test/p", "name": "zyte", "price": "10.00", "brand": {"name": "ACME"}}  # what is empty is left out


def test_an_item_names_its_capture(kinds: Crawled, sqlite_settings: Settings) -> None:
    rows = {(row.warc_filename, row.warc_record_offset): row for row in kinds.rows}
    items = stored(kinds, sqlite_settings)
    assert len(items) == kinds.manifest.statistics.items == 8
    for one in items:
        row = rows[(one.warc_filename, one.warc_record_offset)]
        assert (one.url, one.fetched_at, one.warc_record_length) == (row.url, row.fetch_time, row.warc_record_length)
        assert one.crawl_run == kinds.manifest.crawl_run


def test_what_cannot_be_stored_costs_no_other_item(kinds: Crawled, sqlite_settings: Settings) -> None:
    assert [one.item for one in stored(kinds, sqlite_settings) if one.url.endswith("/dicts")] == [{"n": 1}, {"n": 2}]
    assert kinds.manifest.statistics.callback_errors == {"parse_dicts: SpiderError": 3}


def test_the_types_of_fields_come_from_the_classes(kinds: Crawled, sqlite_settings: Settings) -> None:
    manifest = kinds.manifest
    types = {one.name: one for one in read_item_types(manifest.crawl, manifest.crawl_run, open_store(sqlite_settings)).types}
    assert sorted(types) == ["Goods", "Model", "Offered", "Plain", "Product"]
    assert types["Goods"].module == "tests.spiders.ownitems"
    assert {one.name: shown(one.type) for one in types["Goods"].fields} == {
        "name": "string",
        "price": "decimal",
        "offers": "list<struct<price decimal, valid_until date?>>",
        "seen_at": "timestamp",
        "opens": "time",
        "lasts": "string",
        "tags": "list<string>",
        "size": "list<integer>",
        "weight": "float",
        "in_stock": "boolean",
        "stock": "integer?",
        "colour": "string",
        "number": "string",
        "state": "string",
        "amount": "float",
        "either": "json",
        "extra": "json",
        "best": "struct<price decimal, valid_until date?>?",
    }
    assert {one.name: shown(one.type) for one in types["Plain"].fields} == {"name": "json", "offer": "json"}
    assert {one.name: shown(one.type) for one in types["Model"].fields} == {"name": "string", "price": "decimal", "at": "timestamp?"}
    product = {one.name: shown(one.type) for one in types["Product"].fields}
    assert (product["name"], product["brand"], product["url"]) == ("string?", "struct<name string>?", "string")


def shown(kind: ItemFieldType) -> str:
    text: str = kind.type
    if kind.element is not None:
        text += f"<{shown(kind.element)}>"
    if kind.fields:
        text += f"<{', '.join(f'{one.name} {shown(one.type)}' for one in kind.fields)}>"
    return text + "?" * kind.nullable


def test_only_registered_segments_have_items_in_the_run(kinds: Crawled, sqlite_settings: Settings) -> None:
    """The run's items are those of the segments in its manifest, whatever else lies in the store."""
    store, manifest = open_store(sqlite_settings), kinds.manifest
    origin = {"url": "u", "fetched_at": "2026-01-01T00:00:00Z", "crawl_run": "r", "warc_filename": "f", "warc_record_offset": 0}
    line = json.dumps(origin | {"item": {}}).encode() + b"\n"
    store.put_bytes(segment_items_key(manifest.crawl, manifest.crawl_run, "never-registered"), gzip.compress(line))
    store.put_bytes(segment_item_types_key(manifest.crawl, manifest.crawl_run, "never-registered"), b'{"types":[]}')
    counts = [
        sum(1 for _ in read_items_file(io.BytesIO(store.get_bytes(segment_items_key(manifest.crawl, manifest.crawl_run, one.segment)))))
        for one in manifest.segments
        if one.items
    ]
    assert counts == [one.items for one in manifest.segments if one.items]
    assert sum(counts) == manifest.statistics.items == len(items_of(manifest, sqlite_settings)) == len(stored(kinds, sqlite_settings))


def test_page_objects_are_built_for_callbacks(
    at: Callable[[SmallServer], None], sqlite_settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        html = f"<h1>Book {path[-1]}</h1><b class=price>{path[-1]}.50</b>"
        return (404, {}, b"") if "." in path else (200, {"Content-Type": "text/html"}, html.encode())

    with small_server(respond) as server:
        at(server)
        done = run_items("PageObjectSpider", server, sqlite_settings)
    items: dict[str, list[tuple[str | None, dict[str, Any]]]] = {}
    for one in stored(done, sqlite_settings):
        items.setdefault(one.url[-1], []).append((one.type, one.item))
    assert items["1"] == [("Book", {"title": "Book 1", "price": "1.50"}), (None, {"shelf": "a", "class": "HtmlResponse"})]
    for number in "236":
        assert items[number] == [("Book", {"title": f"Book {number}", "price": f"{number}.50"})]
    ((name, product),) = items["4"]
    assert (name, product["name"], product["price"], product["url"]) == ("Product", "Book 4", "4.50", f"{server.base}/book/4")
    assert items["5"] == [(None, {"before": 1})]
    assert done.manifest.statistics.callback_errors == {"parse_broken: LookupError": 1}
    assert "LookupError: no title" in capfd.readouterr().err


@pytest.mark.chaos
def test_many_items_of_a_page_do_not_fill_memory(
    at: Callable[[SmallServer], None], sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_SPIDER_MEMORY", str(tmp_path / "memory"))
    memory: dict[int, int] = {}
    for count in (100, MANY):
        with small_server(lambda path, times, count=count: (404, {}, b"") if "." in path else (200, {}, b"%d" % count)) as server:
            at(server)
            done = run_items("Many", server, sqlite_settings)
        memory[count] = int((tmp_path / "memory").read_text()) * 1024
        items = read_items(done.manifest.crawl, done.manifest.crawl_run, done.manifest.segments, open_store(sqlite_settings))
        assert all(one.item["number"] == one.position == number for number, one in enumerate(items))
        assert done.manifest.statistics.items == count
    assert memory[MANY] - memory[100] < MANY * ITEM_BYTES / 4


def test_files_of_earlier_releases_can_be_read() -> None:
    head = '{"url": "https://x.test/", "fetched_at": "2026-01-02T03:04:05+00:00", "crawl_run": "r", "warc_filename": "f"'
    items = [(0, {"type": "Product"}), (0, {"n": 1}), (7, {"n": 2})]
    lines = "".join(f'{head}, "warc_record_offset": {offset}, "item": {json.dumps(item)}}}\n' for offset, item in items)
    read = list(read_items_file(io.BytesIO(gzip.compress(lines.encode()))))
    assert [(one.position, one.type) for one in read] == [(0, "Product"), (1, None), (0, None)]
    assert [one.item for one in read] == [item for _, item in items]
    assert read[0].warc_record_length is None


def row_at(offset: int) -> CaptureRow:
    values: dict[str, Any] = dict.fromkeys(CaptureRow.__slots__)
    values |= {"url": "https://x.test/", "fetch_time": datetime(2026, 1, 2, tzinfo=UTC), "crawl_run": "r"}
    return CaptureRow(**values | {"warc_filename": "f", "warc_record_offset": offset, "warc_record_length": 9})


def test_a_torn_line_and_an_unregistered_capture_are_left_out(tmp_path: Path) -> None:
    path, written = tmp_path / "w.items", set[ItemType]()
    product = ItemType(name="Product", module="shop", fields=(Field(name="sku", type=ItemFieldType(type="string")),))
    later = product.model_copy(update={"name": "Later"})
    for offset, kind in ((0, product), (10, product), (20, later)):
        buffer = ItemBuffer(tmp_path)
        buffer.append(kind.name, f'{{"offset": {offset}}}'.encode(), kind)
        buffer.add_problem("unstorable", "an \u201cä\u201d\n", kind.name, b'{"n": 1}')
        append_items(path, row_at(offset), buffer, written)
    with path.open("ab") as file:
        file.write(b'{"warc_record_offset": 0, "item": {"to')
    packed = pack_items(path, [row_at(0), row_at(10)])
    with packed.path.open("rb") as file:
        assert [one.item for one in read_items_file(file)] == [{"offset": 0}, {"offset": 10}]
    assert (packed.count, packed.types.types) == (2, (product,))
    assert packed.problems is not None
    problems = [ItemProblem.model_validate_json(line) for line in gzip.decompress(packed.problems.read_bytes()).splitlines()]
    assert problems == [
        ItemProblem(warc_record_offset=offset, rule="unstorable", problem="an \u201cä\u201d\n", type="Product", item={"n": 1})
        for offset in (0, 10)
    ]


def test_problems_without_an_item_are_stored(tmp_path: Path) -> None:
    path, buffer = tmp_path / "w.items", ItemBuffer(tmp_path)
    assert buffer.is_empty
    buffer.add_problem("callback", "no time")
    assert (len(buffer), buffer.is_empty) == (0, False)
    append_items(path, row_at(3), buffer, set())
    packed = pack_items(path, [row_at(3)])
    assert packed.count == 0
    assert packed.problems is not None
    line = gzip.decompress(packed.problems.read_bytes())
    assert ItemProblem.model_validate_json(line) == ItemProblem(warc_record_offset=3, rule="callback", problem="no time")
    assert pack_items(path, [row_at(4)]).problems is None


class Odd:
    def __repr__(self) -> str:
        raise ValueError("no text")


def test_of_an_item_that_cannot_be_stored_stays_what_can() -> None:
    loop: dict[str, Any] = {"n": 1}
    loop["self"] = loop
    for item, described in (
        ({"n": 1, "odd": Odd(), "long": "x" * 20_000}, {"n": 1, "odd": "a Odd that JSON cannot hold", "long": '"' + "x" * 199 + "..."}),
        ({"name": "a", "loop": loop}, {"name": "a", "loop": "a dict that JSON cannot hold"}),
    ):
        with pytest.raises(UnstorableItemError, match=r"cannot be stored as JSON") as caught:
            item_json(item)
        assert caught.value.rule == "unstorable"
        assert json.loads(caught.value.described) == described
        assert json.loads(described_item(item)) == described


def test_a_buffer_goes_to_a_file_without_a_name(tmp_path: Path) -> None:
    buffer = ItemBuffer(tmp_path)
    for _ in range(3):
        buffer.append(None, b'"' + b"x" * BUFFER_BYTES + b'"')
    assert len(buffer) == len(list(buffer.lines())) == len(list(buffer.lines())) == 3
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError, match=r"Writing items to .*gone failed"):
        ItemBuffer(tmp_path / "gone").append(None, b'"' + b"x" * BUFFER_BYTES + b'"')


def test_a_run_of_dicts_has_no_types(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(page) as server:
        at(server)
        done = run("StartUrls", server, sqlite_settings)
    assert read_item_types(done.manifest.crawl, done.manifest.crawl_run, open_store(sqlite_settings)).types == ()
    assert [(one.position, one.type) for one in stored(done, sqlite_settings)] == [(0, None), (0, None)]
