"""Changes of a definition: what a table takes in place, and what is refused with the way out."""

import pytest

from schemas.datasets.dataset import Dataset
from schemas.datasets.dataset_file import parse_dataset
from schemas.datasets.evolution import compare_definitions, compare_fields
from schemas.datasets.tables import stored_types, table_schema

OLD = "source: {items: true}\nkey: [sku]\nfields: {sku: string, price: 'decimal(12,2)', more: json, tags: 'list<string>'}\n"


def _dataset(text: str) -> Dataset:
    return parse_dataset(text, "products")


@pytest.mark.parametrize(
    ("change", "added", "widened"),
    [
        (("sku: string,", "sku: string, name: string,"), ("name",), ()),
        (("decimal(12,2)", "decimal(18,2)"), (), ("price",)),
        (("items: true", "items: Product"), (), ()),
        (("key: [sku]", "history: latest\nkey: [sku]"), (), ()),
        (("more: json", "more: string"), (), ()),
    ],
)
def test_what_a_table_takes(change: tuple[str, str], added: tuple[str, ...], widened: tuple[str, ...]) -> None:
    old, new = _dataset(OLD), _dataset(OLD.replace(*change))
    changes = compare_definitions(old, new)
    assert (changes.added, changes.widened, changes.refused) == (added, widened, ())
    assert compare_fields(stored_types(table_schema(old)), new) == changes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("decimal(12,2)", "decimal(10,2)"), "the field 'price' is decimal(12,2) in the table and would be decimal(10,2). Keep its type"),
        (("list<string>", "list<date>"), "the field 'tags' is list<string>"),
        ((", more: json", ""), "the field 'more' is missing, but the table has it. Declare it again"),
        (
            ("key: [sku]", "key: [host, sku]"),
            "the key was [sku] and would be [host, sku]: rows would lose their identity. Keep it, or give",
        ),
        (("key: [sku]", "history: observations\nkey: [sku]"), "the history was changes and would be observations"),
    ],
)
def test_what_is_refused(change: tuple[str, str], message: str) -> None:
    (refused,) = compare_definitions(_dataset(OLD), _dataset(OLD.replace(*change))).refused
    assert message in refused
