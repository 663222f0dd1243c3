"""The tables of users' datasets: created from definitions, changed in place, by processes at once too; and earlier lakes."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.datasets.dataset_file import parse_dataset
from schemas.datasets.tables import table_schema
from schemas.errors import ConfigError, NotFoundError
from schemas.tables import TABLES
from storage.lake.lake import Lake, open_lake
from tests.forks import fork_context
from tests.kepthome import unpack_home
from tests.storage.lakerows import rows_of, table_of

PRODUCTS = """
source: {items: true}
key: [host, sku]
fields:
  sku: string
  price: decimal(8,2)
  offers: 'list<struct<seller: string>>'
"""
WIDER = """
source: {items: true}
key: [host, sku]
history: latest
fields:
  sku: {type: string, description: The shop's own number.}
  price: decimal(12,2)
  offers: 'list<struct<seller: string, stock: integer>>'
  size: 'struct<width: float>'
"""


def definition(text: str, name: str = "products") -> Dataset:
    return parse_dataset(text, name)


@pytest.fixture(params=["sqlite-directory", "postgresql-s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty lake, once local and once on servers."""
    if request.param == "sqlite-directory":
        return Settings(home=tmp_path / "home", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3.model_copy(update={"database": request.getfixturevalue("postgres_url")})


def _append(lake: Lake, dataset: Dataset, *rows: dict[str, object]) -> None:
    lake.append(dataset.name, [rows_of(table_schema(dataset), *rows)], str(rows[0]["process_run"]))


def test_a_table_is_made_and_grows_with_its_definition(lake_settings: Settings) -> None:
    old, new = definition(PRODUCTS), definition(WIDER)
    with open_lake(lake_settings) as lake:
        (table,) = lake.ensure_dataset_tables([old]).values()
        assert [field.name for field in table.spec().fields] == ["fetched_day"]
        assert [table.schema().find_column_name(field.source_id) for field in table.sort_order().fields] == ["host", "url"]
        _append(lake, old, {"process_run": "p1", "sku": "a", "price": Decimal("1.50"), "offers": [{"seller": "x"}]})
        lake.ensure_dataset_tables([new])
        _append(lake, new, {"process_run": "p2", "sku": "b", "price": Decimal("9999999999.99"), "size": {"width": 1.0}})
        _append(lake, old, {"process_run": "p3", "sku": "c", "price": Decimal("2.00")})  # planned before the change, published after it
        columns = ["sku", "price", "offers", "size"]
        rows = lake.table("products").scan(selected_fields=tuple(columns)).to_arrow().sort_by("sku").select(columns).to_pylist()
        docs = {field.name: field.doc for field in lake.table("products").schema().fields}
    assert rows == [  # pyiceberg writes a list of structs that is NULL as an empty one
        {"sku": "a", "price": Decimal("1.50"), "offers": [{"seller": "x", "stock": None}], "size": None},
        {"sku": "b", "price": Decimal("9999999999.99"), "offers": [], "size": {"width": 1.0}},
        {"sku": "c", "price": Decimal("2.00"), "offers": [], "size": None},
    ]
    assert docs["sku"] == "The shop's own number. Source: the dataset's source."
    assert docs["row_id"] == "Digest of the row's key: the same for every version of a row. Source: the key."


def test_the_same_definition_again_writes_nothing(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        (first,) = lake.ensure_dataset_tables([definition(WIDER)]).values()
        (again,) = lake.ensure_dataset_tables([definition(WIDER)]).values()
    assert first.metadata_location == again.metadata_location


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (PRODUCTS.replace("decimal(8,2)", "integer"), r"'price' is decimal\(8,2\) in the table and would be integer. Keep its type"),
        (PRODUCTS.replace("8,2", "7,2"), r"'price' is decimal\(8,2\) in the table and would be decimal\(7,2\)"),
        (PRODUCTS.replace("  price: decimal(8,2)\n", ""), "'price' is missing, but the table has it. Declare it again"),
        (PRODUCTS.replace("[host, sku]", "[sku]"), r"key was \[host, sku\] and would be \[sku\].* copy products.yaml"),
        (PRODUCTS + "history: observations", "history was changes and would be observations"),
    ],
)
def test_what_does_not_fit_the_table_is_refused(sqlite_settings: Settings, changed: str, message: str) -> None:
    with open_lake(sqlite_settings) as lake:
        (before,) = lake.ensure_dataset_tables([definition(PRODUCTS)]).values()
        with pytest.raises(ConfigError, match=rf"The dataset 'products' does not fit its table: .*{message}"):
            lake.ensure_dataset_tables([definition(changed)])
        assert lake.table("products").metadata_location == before.metadata_location


def test_articles_get_fields_of_the_users_own(sqlite_settings: Settings) -> None:
    dataset = definition("extends: articles\nfields: {mood: float}", "articles")
    with open_lake(sqlite_settings) as lake:
        lake.append("articles", [table_of("articles", {"process_run": "p1"})], "p1")
        lake.ensure_dataset_tables([dataset])
        lake.append("articles", [table_of("articles", {"process_run": "p2"})], "p2")
        lake.append("articles", [rows_of(table_schema(dataset), {"process_run": "p3", "mood": 0.5})], "p3")
        rows = lake.table("articles").scan(selected_fields=("process_run", "mood")).to_arrow().to_pylist()
    assert {row["process_run"]: row["mood"] for row in rows} == {"p1": None, "p2": None, "p3": 0.5}


def test_the_lake_lists_its_tables_and_no_others(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        assert list(lake.tables()) == ["articles", "captures", "quarantine", "sightings", "runs"]
        lake.ensure_dataset_tables([definition(PRODUCTS), definition(PRODUCTS, "jobs_seen")])
        lake._catalog.create_table(("crawlhouse", "someone_elses"), pa.schema([pa.field("a", pa.string())]))
        assert list(lake.tables()) == [*TABLES, "jobs_seen", "products"]
        with pytest.raises(ConfigError, match="another program made a table of this name"):
            lake.ensure_dataset_tables([definition(PRODUCTS, "someone_elses")])
        with pytest.raises(NotFoundError, match="no table 'product'"):
            lake.table("product")


def test_a_required_value_that_is_missing_is_not_written(sqlite_settings: Settings) -> None:
    rows = table_of("captures", {"process_run": "p1"})
    nullable = rows.cast(pa.schema([field.with_nullable(True) for field in rows.schema]))
    without = nullable.set_column(0, "url", pa.nulls(1, pa.string()))
    with open_lake(sqlite_settings) as lake, pytest.raises(ValueError, match="url"):
        lake.append("captures", [without], "p1")


def _ensure(settings: Settings, text: str) -> None:
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
    with open_lake(settings) as lake:
        lake.ensure_dataset_tables([definition(text)])


def test_processes_at_once_make_and_change_one_table(lake_settings: Settings) -> None:
    everything = PRODUCTS + "".join(f"  extra_{number}: string\n" for number in range(3))
    context = fork_context()
    for texts in ([PRODUCTS] * 3, [everything] * 3):
        workers = [context.Process(target=_ensure, args=(lake_settings, one)) for one in texts]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(120)
            assert worker.exitcode == 0
    with open_lake(lake_settings) as lake:
        assert {f"extra_{number}" for number in range(3)} < set(lake.table("products").schema().column_names)


def test_tables_of_an_earlier_release_get_the_new_columns_when_opened(tmp_path: Path) -> None:
    settings = unpack_home(4, tmp_path)
    with open_lake(settings) as lake:
        tables = lake.tables()
        assert list(tables) == list(TABLES)
        assert [field.name for table in tables.values() for field in table.schema().fields if not field.doc] == []
        required = {field.name for field in tables["quarantine"].schema().fields if field.required}
        assert {"article_id", "version", "text", "text_length", "word_count", "text_digest"} & required == set()
        assert {"url", "host", "fetched_at", "reason", "rule", "process_run"} <= required
        outcomes = [{"dataset": "products", "outcome": "published", "reason": None, "rows": 2, "detail": None}]
        lake.append("captures", [table_of("captures", {"process_run": "p9", "outcomes": outcomes})], "p9")
        rows = lake.table("captures").scan(selected_fields=("process_run", "outcomes")).to_arrow().to_pylist()
        assert [row["outcomes"] for row in rows if row["process_run"] == "p9"] == [outcomes]
        assert {row["outcomes"] for row in rows if row["process_run"] != "p9"} == {None}
        lake.append("quarantine", [table_of("quarantine", {"process_run": "p9", "dataset": "products", "row_json": "{}"})], "p9")
        lake.append("sightings", [table_of("sightings", {"process_run": "p9"})], "p9")
        found = lake.table("quarantine").scan(row_filter="process_run = 'p9'").to_arrow().to_pylist()
    assert [(row["dataset"], row["row_id"], row["row_json"], row["text"]) for row in found] == [("products", None, "{}", None)]
