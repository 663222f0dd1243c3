"""Raw rows to rows: defaults, currencies, keys, and rows that are quarantined with field and value."""

import json
from decimal import Decimal
from typing import Any

import pytest

from processing.datasets.identity import changed_fields, compared_digest, have_equal_values, row_id
from processing.datasets.rows import RowTyper, arrow_values
from schemas.datasets.dataset import Dataset
from schemas.datasets.dataset_file import parse_dataset
from schemas.datasets.page_rows import Row

TEXT = """
source: {items: true}
key: [host, sku]
fields:
  sku: string
  price: {type: 'decimal(12,2)', unit: currency}
  currency: string
  stock: {type: integer, default: 0}
  tags: list<string>
  seen_by: {type: integer, compared: false}
"""
DATASET = parse_dataset(TEXT, "products")


def _row(raw: dict[str, Any], dataset: Dataset = DATASET) -> Row:
    return RowTyper(dataset).row(raw, "shop.example", "https://shop.example/p/1")


def test_a_row_in_plain_values() -> None:
    row = _row({"sku": "1", "price": "1.299,00 €", "tags": "a"})
    assert row.values == {"sku": "1", "price": "1299.00", "currency": "EUR", "stock": 0, "tags": ["a"], "seen_by": None}
    assert (row.rule, row.detail, row.row_json) == (None, None, None)
    assert arrow_values(DATASET, row)["price"] == Decimal("1299.00")


@pytest.mark.parametrize(
    ("raw", "currency"),
    [
        ({"price": "12 €", "currency": "CHF"}, "CHF"),
        ({"price": "12 €", "currency": ""}, "EUR"),
        ({"price": "12", "currency": "€"}, "EUR"),
        ({"price": "12"}, None),
        ({"price": 12}, None),
    ],
)
def test_the_currency_beside_a_price(raw: dict[str, Any], currency: str | None) -> None:
    assert _row({"sku": "1", **raw}).values["currency"] == currency


@pytest.mark.parametrize(
    ("raw", "rule", "detail"),
    [
        ({"sku": "1", "price": "call us"}, "type", "price: 'call us' is not a number"),
        ({"sku": None, "price": "1"}, "key", "sku: a key cannot be empty"),
        ({"sku": "  "}, "key", "sku: a key cannot be empty"),
        ({"sku": "1", "colour": "red"}, "undeclared", "colour: not declared"),
        ({"sku": "x" * 2_000_001}, "size", "the row has more than 2,000,000 characters"),
    ],
)
def test_a_row_that_does_not_fit(raw: dict[str, Any], rule: str, detail: str) -> None:
    row = _row(raw)
    assert row.rule == rule
    assert detail in (row.detail or "")
    assert json.loads(row.row_json or "")
    assert set(row.values) == set(DATASET.fields)


def test_what_fits_of_a_quarantined_row_is_kept() -> None:
    row = _row({"sku": "1", "price": "call us", "stock": "3"})
    assert (row.values["sku"], row.values["stock"], row.values["price"]) == ("1", 3, None)
    assert row.row_id == _row({"sku": "1"}).row_id


def test_fields_that_are_not_declared_may_be_ignored() -> None:
    dataset = parse_dataset(TEXT + "undeclared_fields: ignore\n", "products")
    assert _row({"sku": "1", "colour": "red"}, dataset).rule is None


def test_what_json_cannot_hold_is_described() -> None:
    row = _row({"sku": "1", "price": object()})
    assert row.rule == "type"
    assert "object object" in json.loads(row.row_json or "")["price"]


def test_the_identity_is_of_the_key_alone() -> None:
    first = row_id(DATASET, {"host": "a.example", "sku": "1"})
    assert first == "5591519bba75d8985488caa8158c78f0"  # a release that changes it loses the identity of all rows
    assert row_id(DATASET, {"host": "a.example", "sku": "1", "price": Decimal(2), "url": "x"}) == first
    assert row_id(DATASET, {"host": "b.example", "sku": "1"}) != first
    assert row_id(DATASET, {"host": "a.example1", "sku": ""}) != row_id(DATASET, {"host": "a.example", "sku": "1"})


def test_which_fields_changed() -> None:
    old = {"sku": "1", "price": Decimal("2.00"), "stock": 1, "tags": ["a"], "seen_by": 1}
    assert changed_fields(DATASET, old, old | {"seen_by": 2}) == ()
    assert changed_fields(DATASET, old, old | {"price": Decimal("2.0")}) == ()
    assert changed_fields(DATASET, old, old | {"tags": ["a", "b"], "price": Decimal("3.00")}) == ("price", "tags")
    assert changed_fields(DATASET, old, old | {"currency": "EUR"}) == ("currency",)
    assert changed_fields(DATASET, old | {"tags": None}, old | {"tags": []}) == ()  # a table gives a NULL list as an empty one
    assert changed_fields(DATASET, old, old | {"currency": "EUR"}, only=["price"]) == ()
    assert compared_digest(DATASET, old) == compared_digest(DATASET, old | {"seen_by": 2, "currency": None})
    assert compared_digest(DATASET, old) != compared_digest(DATASET, old | {"stock": 2})
    assert have_equal_values(DATASET, old, dict(old))
    assert not have_equal_values(DATASET, old, old | {"seen_by": 2})


def test_members_that_are_null_are_no_change() -> None:
    dataset = parse_dataset("source: {items: true}\nkey: [a]\nfields: {a: string, b: 'struct<c: string, d: string>'}\n", "things")
    assert changed_fields(dataset, {"b": {"c": "1"}}, {"b": {"d": None, "c": "1"}}) == ()
    assert compared_digest(dataset, {"b": {"c": "1"}}) == compared_digest(dataset, {"b": {"d": None, "c": "1"}})
