"""The types of fields: how they are written, and which may be widened."""

import pytest

from schemas.datasets.field_types import FieldType, Kind, parse_type, widens_to


@pytest.mark.parametrize(
    "text",
    [
        *("string", "integer", "float", "boolean", "date", "timestamp", "json", "decimal(12,2)", "decimal(38,38)", "list<string>"),
        *("list<list<decimal(5,1)>>", "struct<name: string, price: decimal(12,2)>", "list<struct<a: list<json>, B_2: date>>"),
    ],
)
def test_a_type_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_type(text)) == text
    assert parse_type(text.replace(" ", "").replace("<", " < ").replace(",", " , ")) == parse_type(text)


def test_the_parts_of_a_type() -> None:
    assert parse_type("decimal(12,2)") == FieldType(Kind.DECIMAL, 12, 2)
    assert parse_type("struct<a: list<string>>").members == (("a", FieldType(Kind.LIST, element=FieldType(Kind.STRING))),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "not a whole type; allowed are string, integer, decimal(12,2), float, boolean, date, timestamp, list<TYPE>, struct<NAME: TYPE",
        ),
        ("text", "'text' is not a type"),
        ("decimal", "lacks '('"),
        ("decimal(39,2)", "digits in all are 1 to 38"),
        ("decimal(2,3)", "those after the point at most as many"),
        ("decimal(2,x)", "'x' is not a number of digits"),
        ("list<string", "lacks '>'"),
        ("list<>", "'>' is not a type"),
        ("string string", "has 'string' after the type"),
        ("struct<a: string, a: date>", "'a' cannot name a member here"),
        ("struct<>", "cannot name a member"),
        ("string!", "is not a type"),
        ("list<" * 6 + "string" + ">" * 6, "nested more than 5 levels deep"),
        ("list<" * 5_000, "a type of 25,000 characters"),
    ],
)
def test_what_is_no_type_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_type(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "widens"),
    [
        ("decimal(12,2)", "decimal(14,2)", True),
        ("decimal(12,2)", "decimal(10,2)", False),
        ("decimal(12,2)", "decimal(14,4)", False),
        ("integer", "float", False),
        ("integer", "decimal(38,0)", False),
        ("string", "json", False),
        ("struct<a: string>", "struct<a: string, b: date>", True),
        ("struct<a: string, b: date>", "struct<a: string>", False),
        ("list<struct<a: decimal(3,1)>>", "list<struct<a: decimal(4,1)>>", True),
        ("list<string>", "list<integer>", False),
    ],
)
def test_what_may_be_widened(old: str, new: str, widens: bool) -> None:
    assert widens_to(parse_type(old), parse_type(new)) is widens
