"""A dataset's schemas: what is derived from the definition, and that Iceberg takes it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

from schemas.datasets.dataset_file import find_dataset, parse_dataset, ready_names
from schemas.datasets.field_types import parse_type
from schemas.datasets.tables import staging_schema, stored_types, table_schema
from schemas.tables import ARTICLES
from schemas.yaml_files.dataset_names import HISTORY, PROVENANCE, STAGING

TYPES = {
    "a_string": "string", "an_integer": "integer", "a_price": "decimal(12,2)", "a_float": "float", "a_flag": "boolean", "a_day": "date",
    "a_moment": "timestamp", "a_list": "list<string>", "a_struct": "struct<name: string, prices: list<decimal(5,2)>>", "some_json": "json",
}  # fmt: skip
TEXT = "source: {items: true}\nkey: [a_string]\nfields:\n" + "".join(
    f"  {name}: {{type: '{kind}', description: D}}\n" for name, kind in TYPES.items()
)
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_iceberg_takes_every_type(tmp_path: Path) -> None:
    schema = table_schema(parse_dataset(TEXT, "things"))
    values = {
        "a_string": "x", "an_integer": 2**40, "a_price": Decimal("1.50"), "a_float": 0.5, "a_flag": True, "a_day": date(2026, 3, 1),
        "a_moment": MOMENT, "a_list": ["x"], "a_struct": {"name": "n", "prices": [Decimal("1.00")]}, "some_json": "{}",
    }  # fmt: skip
    row = {
        **{field.name: MOMENT if pa.types.is_timestamp(field.type) else 1 if pa.types.is_integer(field.type) else "x" for field in schema},
        "changed": ["a_price"],
        **values,
    }
    catalog = SqlCatalog("c", uri=f"sqlite:///{tmp_path}/c.sqlite", warehouse=str(tmp_path))
    catalog.create_namespace("n")
    table = catalog.create_table(("n", "things"), schema)
    table.append(pa.Table.from_pylist([row], schema=schema))
    read = table.scan().to_arrow()
    assert read.to_pylist() == [row]
    assert stored_types(read.schema) == {name: parse_type(kind.replace("json", "string")) for name, kind in TYPES.items()}
    assert [field.doc for field in table.schema().fields if not field.doc] == []  # every column is described
    assert table.schema().find_field("some_json").doc == "D (JSON) Source: the dataset's source."


def test_the_names_that_are_taken_are_those_of_the_schemas() -> None:
    dataset = parse_dataset(TEXT, "things")
    common = {*table_schema(dataset).names, *staging_schema(dataset).names} - set(TYPES)
    assert common <= {*HISTORY, *PROVENANCE, *STAGING}


def test_no_list_of_columns_is_written_twice() -> None:
    for name in ready_names():
        dataset = find_dataset(name, None)
        table = table_schema(dataset)
        for field in staging_schema(dataset):
            if field.name in table.names:
                assert table.field(field.name).type == field.type


def test_articles_keep_their_table(tmp_path: Path) -> None:
    assert table_schema(find_dataset("articles", None)).equals(ARTICLES)
    (tmp_path / "articles.yaml").write_text("extends: articles\nfields: {topic: string}\n")
    assert table_schema(find_dataset("articles", tmp_path)).names == [*ARTICLES.names, "topic"]
