"""Values of pages, of JSON and of Python as values of a type, and what does not fit."""

import contextlib
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from processing.datasets.amounts.numbers import read_written_number
from processing.datasets.values import MisfitError, Notation, Reading, WrittenText, convert, from_plain, to_plain
from schemas.datasets.field_types import parse_type
from tests.cpu import growth

WRITTEN = Reading(Notation.WRITTEN)
PRICE = parse_type("decimal(12,2)")


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("1.299,00 €", "1299.00", "EUR"),
        ("$1,299", "1299", "USD"),
        ("1 299,50", "1299.50", None),
        ("1\u202f299,50 €", "1299.50", "EUR"),
        ("1'299.50 CHF", "1299.50", "CHF"),
        ("1\u2019299.50 CHF", "1299.50", "CHF"),
        ("CHF 1\u02bc299", "1299", "CHF"),
        ("CHF 12.–", "12", "CHF"),
        ("12.-", "12", None),
        ("€12,-", "12", "EUR"),
        ("R$ 1.299,00", "1299.00", "BRL"),
        ("A$12", "12", "AUD"),
        ("2.500.000 Kč", "2500000", "CZK"),
        ("1,29,000 INR", "129000", "INR"),
        ("12.5", "12.5", None),
        ("12€50", "12.50", "EUR"),
        ("-1", "-1", None),
        ("-10,00 €", "-10.00", "EUR"),
        ("− 5 €", "-5", "EUR"),
        ("€ -5", "-5", "EUR"),
        ("-US$5", "-5", "USD"),
        ("Preis – 12,99 €", "12.99", "EUR"),
        ("CHF 1'299.-", "1299", "CHF"),
        ("₹1,29,999", "129999", "INR"),
        ("Rp 15.000", "15000", "IDR"),
        ("30k", "30000", None),
        ("€ 2,5K", "2500", "EUR"),
        ("40k GBP", "40000", "GBP"),
        ("£30k per year", "30000", "GBP"),
        ("12k reviews", "12000", None),
        ("2 for $5", "2.5", "USD"),
        ("Any 4 for £10", "2.5", "GBP"),
        ("2/$5", "2.5", "USD"),
        ("5 €/kg", "5", "EUR"),
        ("1,50 € / 1 kg", "1.50", "EUR"),
        ("$5 each", "5", "USD"),
        ("19 % MwSt. 12,00 €", "12.00", "EUR"),
        ("12,34 € -20 %", "12.34", "EUR"),
        ("$19.99 $19.99", "19.99", "USD"),  # one of them for screen readers
        ("35€ 99", "35.99", "EUR"),
        ("Page 3 of 7", "3", None),  # no price: the first number
    ],
)
def test_numbers_as_people_write_them(text: str, amount: str, currency: str | None) -> None:
    found = read_written_number(text)
    assert found is not None
    assert (found.value, found.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("3 for 10 €", "the price of 3 together, and that of one is no exact number"),
        ("$5 - $7", "a range of amounts"),
        ("€5 to €7", "a range of amounts"),
        ("from $5", "the lowest amount of several"),
        ("ab 5 €", "the lowest amount of several"),
        ("5 € +", "the lowest amount of several"),
        ("up to $7", "the highest amount of several"),
        ("ca. 5 €", "not an exact amount"),
        ("12 x 24,90 €", "an amount several times"),
        ("4,99 € / 100 g", "the price of 100 g"),
        ("was $10 now $5", "several numbers"),
        ("SKU 123 $5", "several numbers"),
        ("10 € 20 €", "several numbers"),
        ("Pack of 2 $5", "several numbers"),
        ("5 € 10 Stück", "several numbers"),
        ("$1.5 million", "a word for a large number"),
    ],
)
def test_a_text_without_one_price_is_no_number(text: str, why: str) -> None:
    with pytest.raises(MisfitError, match=why):
        convert(text, PRICE, WRITTEN)


@pytest.mark.parametrize("text", ["2x 3,50", "buy 1 get 1", "2 for 1", "10.00-20.00", "12.99 14.99", "4.5/5"])
def test_a_price_field_needs_no_currency_in_the_text_to_see_several_numbers(text: str) -> None:
    with pytest.raises(MisfitError, match=r"several|range|the price of 5"):
        convert(text, PRICE, Reading(is_price=True))


@pytest.mark.parametrize(
    ("text", "lowest", "highest"),
    [
        ("$5 - $7", "5", "7"),
        ("50–60k €", "50000", "60000"),
        ("from $5", "5", None),
        ("up to $7", None, "7"),
        ("6 €", "6", "6"),
    ],
)
def test_an_end_of_a_range(text: str, lowest: str | None, highest: str | None) -> None:
    low, high = (read_written_number(text, of_range=end) for end in ("lowest", "highest"))
    assert [found and found.value for found in (low, high)] == [one and Decimal(one) for one in (lowest, highest)]


@pytest.mark.parametrize("text", ["", "free", "Kostenlos", "sold out", "€", "9" * 101, "0x10", "1_000", "1_000 €", "about 1e5"])
def test_a_text_without_a_number_has_none(text: str) -> None:
    assert read_written_number(text) is None


@pytest.mark.parametrize(
    ("value", "kind", "reading", "expected"),
    [
        ("1.299", "decimal(12,3)", Reading(), Decimal("1.299")),
        ("1.299", "decimal(12,2)", WRITTEN, Decimal("1299.00")),
        ("1.299", "decimal(12,3)", WRITTEN, Decimal("1.299")),  # a field that keeps thousandths
        ("1.299 €", "decimal(18,4)", Reading(), Decimal("1299.0000")),  # a price of thousands
        ("1.459 €", "decimal(12,3)", Reading(), Decimal("1.459")),  # but not where three digits are asked for
        ("1.459 KWD", "decimal(18,4)", Reading(), Decimal("1.4590")),
        ("1.299", "decimal(18,4)", Reading(), Decimal("1.2990")),
        ("1.234", "integer", Reading(), 1234),
        (WrittenText("1.000"), "integer", Reading(), 1000),
        ("1.000", "integer", Reading(), 1),
        ("4.125", "float", WRITTEN, 4.125),
        ("-0.500", "float", WRITTEN, -0.5),
        ("1.250 kg", "float", WRITTEN, 1.25),
        ("1.250.000", "float", WRITTEN, 1_250_000.0),
        ("12,500.125", "float", WRITTEN, 12_500.125),
        ("0,125", "decimal(12,3)", WRITTEN, Decimal("0.125")),
        ("€ 0.500", "decimal(12,2)", WRITTEN, Decimal("0.50")),
        ("1e5", "float", WRITTEN, 100_000.0),
        ("1e-3", "float", WRITTEN, 0.001),
        ("1.299", "decimal(12,3)", Reading(Notation.WRITTEN, "."), Decimal("1.299")),
        ("1,299", "decimal(12,3)", Reading(Notation.MACHINE, ","), Decimal("1.299")),
        ("1.299,00 €", "decimal(12,2)", Reading(), Decimal("1299.00")),
        ("1e3", "decimal(12,2)", Reading(), Decimal("1000.00")),
        (0.1 + 0.2, "decimal(12,2)", Reading(), Decimal("0.30")),
        (np.float64(0.5), "decimal(12,2)", Reading(), Decimal("0.50")),
        (np.int64(5), "integer", Reading(), 5),
        (np.float32(0.5), "string", Reading(), "0.5"),
        ("05/06/2026", "date", Reading(), date(2026, 5, 6)),
        ("05/06/2026", "date", Reading(day_first=True), date(2026, 6, 5)),
        (7, "decimal(12,2)", Reading(), Decimal("7.00")),
        ("-1", "decimal(12,2)", Reading(), Decimal("-1.00")),
        ("1,204 reviews", "integer", WRITTEN, 1204),
        (3.0, "integer", Reading(), 3),
        (-(2**63) + 1, "integer", Reading(), -(2**63) + 1),
        ("4,7", "float", WRITTEN, 4.7),
        ("4.7", "float", Reading(), 4.7),
        ("https://schema.org/InStock", "boolean", Reading(), True),
        ("OutOfStock", "boolean", Reading(), False),
        ("no", "boolean", Reading(), False),
        (1, "boolean", Reading(), True),
        ("2026-03-01", "date", Reading(), date(2026, 3, 1)),
        ("1. März 2026", "date", Reading(), date(2026, 3, 1)),
        ("2026-03-01T23:30:00-05:00", "date", Reading(), date(2026, 3, 1)),
        ("2026-03-01T12:00:00.5+02:00", "timestamp", Reading(), datetime(2026, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-01", "timestamp", Reading(), datetime(2026, 3, 1, tzinfo=UTC)),
        (1_772_366_400, "timestamp", Reading(), datetime(2026, 3, 1, 12, tzinfo=UTC)),
        (datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2))), "timestamp", Reading(), datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (datetime(2026, 3, 1, 12), "timestamp", Reading(), datetime(2026, 3, 1, 12, tzinfo=UTC)),  # noqa: DTZ001 of a user
        (5, "string", Reading(), "5"),
        (Decimal("1.50"), "string", Reading(), "1.50"),
        (True, "string", Reading(), "true"),
        ("half a pair \ud800", "string", Reading(), "half a pair \ufffd"),
        ("one", "list<string>", Reading(), ["one"]),
        (["1", None, "2"], "list<integer>", Reading(), [1, 2]),
        ({"name": "x", "more": 1}, "struct<name: string, price: decimal(5,2)>", Reading(), {"name": "x", "price": None}),
        ({"b": [1, date(2026, 3, 1)]}, "json", Reading(), '{"b":[1,"2026-03-01"]}'),
        (None, "integer", Reading(), None),
        ("  ", "integer", Reading(), None),
    ],
)
def test_what_fits(value: Any, kind: str, reading: Reading, expected: Any) -> None:
    converted = convert(value, parse_type(kind), reading)
    assert converted == expected
    assert type(converted) is type(expected)
    assert from_plain(to_plain(converted), parse_type(kind)) == converted


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("call us", "decimal(12,2)", "'call us' is not a number"),
        ("12.999", "decimal(12,2)", "more than 2 digits after the point"),
        ("12345678901", "decimal(12,2)", "more than 10 digits before the point"),
        ("9999999999.995", "decimal(12,2)", "more than 2 digits after the point"),
        (9999999999.999, "decimal(12,2)", "more than 10 digits before the point"),
        (math.nan, "decimal(12,2)", "is not a number"),
        (math.inf, "float", "is not a number"),
        (Decimal("Infinity"), "decimal(12,2)", "is not a number"),
        (True, "integer", "not a whole number"),
        (1.5, "integer", "1.5 is not a whole number of 64 bits"),
        (2**63 + 1, "integer", "not a whole number of 64 bits"),
        pytest.param(10**5000, "integer", "not a whole number", id="huge integer"),
        ("9" * 90 + "e30", "integer", "not a whole number"),
        pytest.param(10**5000, "string", "not a text", id="huge text"),
        (b"bytes", "string", "not a text"),
        ({"a": 1}, "string", "not a text"),
        ("x" * 1_000_001, "string", "a text of 1,000,001 characters"),
        ("perhaps", "boolean", "'perhaps' is neither true nor false"),
        (2, "boolean", "neither true nor false"),
        ("soon", "date", "'soon' is not a date"),
        ("2026-02-31", "date", "not a date"),
        (10**20, "timestamp", "not a date with a time"),
        ([1] * 10_001, "list<integer>", "a list of 10,001 values"),
        ("x", "struct<a: string>", "not a struct<a: string>"),
        ({"a": "x"}, "struct<a: integer>", "a: 'x' is not a whole number"),
        ({"a": object}, "json", "nothing that JSON can hold"),
        ({"a": math.nan}, "json", "nothing that JSON can hold"),
    ],
)
def test_what_does_not_fit_is_named(value: Any, kind: str, message: str) -> None:
    with pytest.raises(MisfitError) as caught:
        convert(value, parse_type(kind))
    assert message in str(caught.value)
    assert len(str(caught.value)) < 600


def test_what_is_nested_without_end_does_not_fit() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(MisfitError):
        convert(endless, parse_type("json"))


@pytest.mark.parametrize("unit", ["9", ". ,", "-", "1 ", "1.", "€", "a1 "])
@pytest.mark.parametrize("kind", ["decimal(12,2)", "date", "timestamp", "boolean", "integer"])
def test_hostile_texts_take_linear_time(unit: str, kind: str) -> None:
    def work(size: int) -> None:
        for notation in Notation:
            with contextlib.suppress(MisfitError):
                convert(unit * size + "1", parse_type(kind), Reading(notation))

    work(100)
    assert growth(work, 100_000) < 8


@pytest.mark.parametrize("text", ["2026-05-01 25:00", "2026-05-01T12:61Z", "1 May 2026, 12:30:75", "20260501T2561", "05/01/2026 13:00 am"])
def test_a_time_that_cannot_be_is_not_midnight(text: str) -> None:
    with pytest.raises(MisfitError, match=r"there is no such time"):
        convert(text, parse_type("timestamp"))
    assert convert(text, parse_type("date")) == date(2026, 5, 1)
    midnight = datetime(2026, 5, 1, tzinfo=UTC)
    assert [convert(one, parse_type("timestamp")) for one in ("1 May 2026", "2026-05-01 00:00", "2026-04-30T24:00")] == [midnight] * 3
