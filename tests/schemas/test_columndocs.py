"""Every column of every built-in table is described once, and the one text that Iceberg keeps has all parts."""

from __future__ import annotations

import pytest

from schemas import column_docs
from schemas.column_docs import ColumnDoc, parse_doc
from schemas.tables import DOC, TABLES


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_described_and_nothing_else(name: str) -> None:
    assert set(column_docs.BUILT_IN[name]) == set(TABLES[name].names)
    for field in TABLES[name]:
        doc = parse_doc(field.metadata[DOC].decode())
        assert doc == column_docs.BUILT_IN[name][field.name]
        assert doc.description.endswith("."), field.name
        assert doc.source, field.name


@pytest.mark.parametrize(
    "doc",
    [
        ColumnDoc("The price.", "the page", "as in currency"),
        ColumnDoc("A. B."),
        ColumnDoc("", "x"),
        ColumnDoc("Two\nlines.", unit="km"),
        ColumnDoc(""),
    ],
)
def test_the_parts_of_a_description_come_back(doc: ColumnDoc) -> None:
    assert parse_doc(str(doc)) == doc
