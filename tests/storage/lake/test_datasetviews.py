"""The views of users' datasets: visible when published, hidden when taken down, with one row per key in NAME_latest, over old files too."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from schemas.datasets.dataset_file import parse_dataset
from schemas.datasets.tables import table_schema
from schemas.tables import TABLES
from storage.lake.lake import Lake, open_lake
from storage.lake.query import connect
from storage.lake.takedown import add_takedowns
from storage.objects.open import open_store
from tests.kepthome import unpack_home
from tests.storage.lakerows import NOON, rows_of, table_of

OLD = parse_dataset(
    "{source: {items: true}, key: sku, fields: {sku: string, price: 'decimal(8,2)', size: 'struct<width: float>'}}", "products"
)
NEW = parse_dataset(
    "{source: {items: true}, key: sku, fields:"
    " {sku: string, price: 'decimal(10,2)', size: 'struct<width: float, height: float>', order_note: string}}",
    "products",
)
HOUR = timedelta(hours=1)
Row = dict[str, object]


@pytest.fixture(params=["directory", "s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty lake."""
    if request.param == "directory":
        return Settings(home=tmp_path / "home", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3


def _publish(lake: Lake, run: str, rows: list[Row], sightings: list[Row], articles: list[Row] | None = None) -> None:
    stamped = [{"process_run": run, "sequence": int(run[1:]), "url": f"https://shop.example/{row['row_id']}"} | row for row in rows]
    lake.append("products", [rows_of(table_schema(NEW), *stamped)], run)
    if sightings:
        lake.append("sightings", [table_of("sightings", *({"process_run": run, "dataset": "products"} | one for one in sightings))], run)
    if articles:
        lake.append("articles", [table_of("articles", *({"process_run": run, "sequence": int(run[1:])} | one for one in articles))], run)
    lake.append("runs", [table_of("runs", {"process_run": run})], run)


def _hour(number: int) -> datetime:
    return NOON + number * HOUR


def test_the_latest_row_of_each_key_and_when_it_was_seen_or_missed(lake_settings: Settings) -> None:
    with open_lake(lake_settings) as lake:
        lake.ensure_dataset_tables([NEW])
        first = [{"row_id": key, "version": 1, "price": Decimal(1), "fetched_at": _hour(1)} for key in ("a", "b", "c", "d")]
        article = {"article_id": "x", "version": 1, "fetched_at": _hour(1)}
        _publish(lake, "p1", first, [{"row_id": key, "seen_at": _hour(1)} for key in ("a", "b", "c")], [article])
        second = [{"row_id": "a", "version": 2, "price": Decimal(2), "fetched_at": _hour(2)}]
        gone = [{"row_id": "b", "seen_at": None, "gone_at": _hour(2)}, {"row_id": "c", "seen_at": None, "gone_at": _hour(2)}]
        still = [{"row_id": "x", "dataset": "articles", "seen_at": _hour(4)}, {"row_id": "a", "dataset": "articles", "gone_at": _hour(9)}]
        _publish(lake, "p2", second, [*gone, *still])
        _publish(lake, "p3", [], [{"row_id": "c", "seen_at": _hour(3)}])
        lake.append(
            "sightings", [table_of("sightings", {"process_run": "p4", "dataset": "products", "row_id": "a", "gone_at": _hour(5)})], "p4"
        )
    with connect(lake_settings) as sql:
        latest = sql.sql("SELECT row_id, version, price, last_seen, gone_at FROM products_latest ORDER BY row_id").fetchall()
        assert sql.sql("SELECT article_id, last_seen, gone_at FROM articles_latest").fetchall() == [("x", _hour(4), None)]
        assert sql.sql("SELECT count(*) FROM products").fetchall() == [(5,)]
        assert sql.sql("SELECT count(*) FROM sightings").fetchall() == [(8,)], "the sighting of p4 is not published"
    assert latest == [
        ("a", 2, Decimal(2), _hour(2), None),
        ("b", 1, Decimal(1), _hour(1), _hour(2)),
        ("c", 1, Decimal(1), _hour(3), None),
        ("d", 1, Decimal(1), _hour(1), None),
    ]


def test_without_sightings_a_row_was_last_seen_when_it_was_fetched(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        lake.append("articles", [table_of("articles", {"process_run": "p1", "fetched_at": NOON})], "p1")
        lake.append("runs", [table_of("runs", {"process_run": "p1"})], "p1")
    with connect(sqlite_settings) as sql:
        assert sql.sql("SELECT last_seen, gone_at FROM articles_latest").fetchall() == [(NOON, None)]


def test_files_of_an_older_definition_have_the_new_columns(lake_settings: Settings) -> None:
    row = {"process_run": "p1", "sku": "a", "price": Decimal("1.50"), "size": {"width": 2.0}}
    with open_lake(lake_settings) as lake:
        lake.ensure_dataset_tables([OLD])
        lake.append("products", [rows_of(table_schema(OLD), row)], "p1")
        lake.append("runs", [table_of("runs", {"process_run": "p1"})], "p1")
        lake.ensure_dataset_tables([NEW])
    query = "SELECT sku, price, size.width, size.height, order_note FROM products_latest ORDER BY sku"
    with connect(lake_settings) as sql:
        assert sql.sql(query).fetchall() == [("a", Decimal("1.50"), 2.0, None, None)]
    with open_lake(lake_settings) as lake:
        new = {"row_id": "b", "sku": "b", "price": Decimal("99999999.99"), "size": {"width": 3.0, "height": 4.0}, "order_note": "x"}
        _publish(lake, "p2", [new], [])
    with connect(lake_settings) as sql:
        assert sql.sql(query).fetchall() == [
            ("a", Decimal("1.50"), 2.0, None, None),
            ("b", Decimal("99999999.99"), 3.0, 4.0, "x"),
        ]


def test_a_takedown_hides_rows_of_every_dataset(lake_settings: Settings) -> None:
    with open_lake(lake_settings) as lake:
        lake.ensure_dataset_tables([NEW])
        sightings = [{"row_id": "a", "url": "https://shop.example/a"}, {"row_id": "b", "url": "https://shop.example/b"}, {"row_id": "d"}]
        _publish(lake, "p1", [{"row_id": "a"}, {"row_id": "b"}, {"row_id": "c", "url": "https://other.example/c"}], sightings)
    add_takedowns(lake_settings, open_store(lake_settings), ["https://shop.example/a", "other.example"])
    with connect(lake_settings) as sql:
        for view in ("products", "products_latest"):
            assert sql.sql(f"SELECT row_id FROM {view}").fetchall() == [("b",)]
        assert sorted(sql.sql("SELECT row_id FROM sightings").fetchall()) == [("b",), ("d",)]


def test_an_earlier_lake_is_queried_before_anything_new_is_published(tmp_path: Path) -> None:
    with connect(unpack_home(4, tmp_path)) as sql:
        assert sql.sql("SELECT count(*), count(outcomes) FROM captures").fetchall()[0][1] == 0
        assert sql.sql("SELECT count(*), count(last_seen), count(gone_at) FROM articles_latest").fetchall() == [(9, 9, 0)]
        assert sql.sql("SELECT count(dataset), count(row_json) FROM quarantine").fetchall() == [(0, 0)]
        assert {name for (name,) in sql.sql("SHOW TABLES").fetchall()} == {*TABLES, "articles_latest"}


def test_the_lake_opens_without_opening_each_data_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", crawls=tmp_path)
    fields = "sku: string, price: 'decimal(8,2)', offers: 'list<struct<shop: string>>'"
    flat = parse_dataset(f"{{source: {{items: true}}, key: sku, fields: {{{fields}}}}}", "products")
    fields = "sku: string, price: 'decimal(10,2)', offers: 'list<struct<shop: string, stock: integer>>', order_note: string"
    wider = parse_dataset(f"{{source: {{items: true}}, key: sku, fields: {{{fields}}}}}", "products")
    with open_lake(settings) as lake:
        offer = {"shop": "a"}
        for number, dataset in enumerate((flat, wider, wider), 1):
            lake.ensure_dataset_tables([dataset])
            run = f"p{number}"
            row = {"process_run": run, "row_id": run, "price": Decimal(number), "offers": [offer]}
            lake.append("products", [rows_of(table_schema(dataset), row)], run)
            lake.append("articles", [table_of("articles", {"process_run": run})], run)
            lake.append("runs", [table_of("runs", {"process_run": run})], run)
            offer |= {"stock": 7}
        files = {name: [file.removeprefix("file://") for file in lake.live_files(name)] for name in ("products", "articles")}
    assert [len(found) for found in files.values()] == [3, 3]
    with connect(settings) as connection:
        found = connection.sql("SELECT price::VARCHAR, offers[1].shop, offers[1].stock, order_note FROM products ORDER BY 1").fetchall()
        assert found == [("1.00", "a", None, None), ("2.00", "a", 7, None), ("3.00", "a", 7, None)]
    for path in [path for paths in files.values() for path in sorted(paths)[1:]]:  # of each table one file may be opened
        Path(path).write_bytes(b"no Parquet")
    with connect(settings) as connection:
        assert connection.sql("SELECT count(*) FROM runs").fetchall() == [(3,)]
        assert ("order_note",) in connection.sql("SELECT column_name FROM (DESCRIBE products)").fetchall()
