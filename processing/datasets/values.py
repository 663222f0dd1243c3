"""A value of a page, of JSON or of Python as a value of a field's type, or the reason why it is none.

`convert` is for values as they come; `to_plain` and `from_plain` carry typed values through MessagePack or JSON and back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from enum import StrEnum
from numbers import Integral, Real
from typing import Any

from processing.article.dates.dates import has_unread_time, read_date
from processing.article.tree.entities import storable
from processing.datasets.amounts.numbers import Amount, Thousandths, read_plain_number, read_written_number
from processing.datasets.amounts.price_texts import OfRange, UnclearAmountError
from schemas.datasets.field_types import FieldType, Kind
from schemas.numbers import MAX_INT64

MAX_TEXT_CHARACTERS = 1_000_000  # of one value: a page's whole text fits
MAX_LIST_VALUES = 10_000
MAX_DEPTH = 12  # of lists and objects in one another
MAX_SHOWN_CHARACTERS = 200
DECIMAL_DIGITS = 100  # while converting: more than a text that is read as a number has
MIDNIGHT = time()
THREE_DIGITS = 3  # behind the point
TRUE = frozenset({"true", "yes", "y", "1", "on", "instock", "in stock", "instoreonly", "onlineonly", "limitedavailability", "available"})
FALSE = frozenset(
    {
        "false",
        "no",
        "n",
        "0",
        "off",
        "outofstock",
        "out of stock",
        "soldout",
        "sold out",
        "discontinued",
        "backorder",
        "preorder",
        "presale",
    }
)
_SCHEMA_ORG = ("https://schema.org/", "http://schema.org/", "https://www.schema.org/", "http://www.schema.org/", "schema:")


class Notation(StrEnum):
    """How numbers are written where a value is from: `machine`, with a point and no grouping, or `written` for people, as on a page."""

    MACHINE = "machine"
    WRITTEN = "written"


class WrittenText(str):
    """A text that people read on the page, beside others of its source that are written for machines."""

    __slots__ = ()


class MisfitError(ValueError):
    """A value that is none of its field's type. The message shows the value, shortened."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a field's texts are read. `is_price`: a number is the price of one piece. `of_range` is which end of a range counts."""

    notation: Notation = Notation.MACHINE
    decimal_separator: str | None = None
    day_first: bool = False
    is_price: bool = False
    of_range: OfRange | None = None


def convert(value: Any, kind: FieldType, reading: Reading = Reading()) -> Any:  # Any: of a page or of a user, and of the field's type
    """The value as one of the type: text, int, Decimal, float, bool, date, aware datetime, list, dict, or text of JSON. None stays None.

    Takes a time that is linear in the value's size. Raises MisfitError.
    """
    return _convert(value, kind, reading, 0)


def read_amount(value: Any, reading: Reading, thousandths: Thousandths = Thousandths.NEVER) -> Amount | None:  # Any: as in `convert`
    """A number with the currency that stands beside it, or None where the value is not a number. `thousandths`: if the field keeps them.

    Raises MisfitError for a text that has several amounts.
    """
    if isinstance(value, str):
        return _read_text_amount(value, reading, thousandths)
    if isinstance(value, Decimal):
        return Amount(value) if value.is_finite() else None
    if isinstance(value, Integral) and not isinstance(value, bool):  # also NumPy's
        return Amount(Decimal(int(value))) if abs(int(value)) <= 10**DECIMAL_DIGITS else None
    if isinstance(value, Real) and not isinstance(value, Integral):
        return Amount(Decimal(repr(float(value)))) if math.isfinite(value) else None
    return None


def to_plain(value: Any) -> Any:  # Any: of one of the types
    """A typed value as JSON and MessagePack know it: decimals, dates and times become text."""
    if value is None or isinstance(value, (str, int, float)):  # most values are; int includes bool
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if isinstance(value, list):
        return [to_plain(one) for one in value]
    return {name: to_plain(one) for name, one in value.items()} if isinstance(value, dict) else value


def from_plain(value: Any, kind: FieldType) -> Any:  # Any: as above
    """The typed value behind a plain one. Raises ValueError for what `to_plain` never makes."""
    if value is None:
        return None
    match kind.kind:
        case Kind.DECIMAL:
            return Decimal(value)
        case Kind.DATE:
            return date.fromisoformat(value)
        case Kind.TIMESTAMP:
            return datetime.fromisoformat(value)
        case Kind.LIST if kind.element is not None:
            return [from_plain(one, kind.element) for one in value]
        case Kind.STRUCT:
            return {name: from_plain(value.get(name), member) for name, member in kind.members}
    return value


def _convert(value: Any, kind: FieldType, reading: Reading, depth: int) -> Any:
    if value is None or (isinstance(value, str) and kind.kind is not Kind.STRING and not value.strip()):
        return None
    if depth > MAX_DEPTH:
        raise MisfitError(f"it is nested more than {MAX_DEPTH} levels deep")
    if kind.kind is Kind.LIST and kind.element is not None:
        return _to_list(value, kind.element, reading, depth)
    if kind.kind is Kind.STRUCT:
        return _to_struct(value, kind, reading, depth)
    if kind.kind is Kind.DECIMAL:
        return _to_decimal(value, kind, reading)
    return _SIMPLE[kind.kind](value, reading)


def _to_text(value: Any, reading: Reading) -> str:
    if type(value) is str and len(value) <= MAX_TEXT_CHARACTERS:  # most values are
        return storable(value)
    if isinstance(value, StrEnum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (date, Decimal)):
        value = str(to_plain(value))
    elif isinstance(value, Integral):
        value = str(int(value)) if abs(int(value)) <= 10**DECIMAL_DIGITS else None
    elif isinstance(value, Real):
        value = repr(float(value))
    if not isinstance(value, str):
        raise _misfit(value, "not a text")
    if len(value) > MAX_TEXT_CHARACTERS:
        raise MisfitError(f"a text of {len(value):,} characters; at most {MAX_TEXT_CHARACTERS:,} are kept")
    return storable(str.__str__(value))  # of a subclass its plain text


def _to_integer(value: Any, reading: Reading) -> int:
    amount = read_amount(value, reading)
    if isinstance(value, str) and amount is not None and amount.value != amount.value.to_integral_value():
        amount = _read_written(value, reading, Thousandths.NEVER)  # 1.234 reviews: the point groups thousands
    if amount is None or not -MAX_INT64 <= amount.value <= MAX_INT64 or amount.value != amount.value.to_integral_value():
        raise _misfit(value, "not a whole number of 64 bits")
    return int(amount.value)


def _to_float(value: Any, reading: Reading) -> float:
    amount = read_amount(value, reading, Thousandths.ALONE)
    if amount is None:
        raise _misfit(value, "not a number")
    return float(amount.value)


def _thousandths(kind: FieldType) -> Thousandths:
    if kind.scale == THREE_DIGITS:
        return Thousandths.ALWAYS
    return Thousandths.ALONE if kind.scale > THREE_DIGITS else Thousandths.NEVER


def _to_decimal(value: Any, kind: FieldType, reading: Reading) -> Decimal:
    amount = read_amount(value, reading, _thousandths(kind))
    if amount is None:
        raise _misfit(value, "not a number")
    with localcontext(prec=DECIMAL_DIGITS) as context:
        try:
            number = amount.value.quantize(Decimal(1).scaleb(-kind.scale), rounding=ROUND_HALF_EVEN, context=context)
        except InvalidOperation:
            raise _misfit(value, f"not a {kind}: it has too many digits") from None
        if number != amount.value and not isinstance(value, Real):  # a binary fraction is never exact
            raise _misfit(value, f"not a {kind}: it has more than {kind.scale} digits after the point")
    if number.adjusted() >= kind.precision - kind.scale and number:
        raise _misfit(value, f"not a {kind}: it has more than {kind.precision - kind.scale} digits before the point")
    return number


def _to_boolean(value: Any, reading: Reading) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in {0, 1}:
        return bool(value)
    word = _without_vocabulary(value.strip()).lower() if isinstance(value, str) and len(value) <= MAX_SHOWN_CHARACTERS else ""
    if word in TRUE or word in FALSE:
        return word in TRUE
    raise _misfit(value, "neither true nor false")


def _to_date(value: Any, reading: Reading) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return _moment(value, reading, "not a date").date()


def _to_timestamp(value: Any, reading: Reading) -> datetime:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    moment = _moment(value, reading, "not a date with a time")
    if isinstance(value, str) and moment.time() == MIDNIGHT and has_unread_time(value, month_first=not reading.day_first):
        raise _misfit(value, "not a date with a time: there is no such time, or it cannot be read for certain")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _misfit(value, "not a date with a time") from None


def _moment(value: Any, reading: Reading, problem: str) -> datetime:
    """An aware moment, in its own zone; UTC where it has none."""
    moment = value if isinstance(value, datetime) else None
    if isinstance(value, int) and not isinstance(value, bool):  # seconds or milliseconds since 1970
        value = str(value)[:MAX_SHOWN_CHARACTERS] if abs(value) < 10**13 else ""
    if isinstance(value, str):
        moment = _read_moment(value.strip(), reading)
    if moment is None:
        raise _misfit(value, problem)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_moment(text: str, reading: Reading) -> datetime | None:
    if len(text) >= len("2026-01-31") and text[4:5] == "-" and len(text) <= MAX_SHOWN_CHARACTERS:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    found = read_date(text, month_first=not reading.day_first)
    return found[0] if found else None


def _to_json(value: Any, reading: Reading) -> str:
    try:
        text = json.dumps(plain_json(value, 0), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise _misfit(value, "nothing that JSON can hold") from None
    if len(text) > MAX_TEXT_CHARACTERS:
        raise MisfitError(f"JSON of {len(text):,} characters; at most {MAX_TEXT_CHARACTERS:,} are kept")
    return storable(text)


def plain_json(value: Any, depth: int = 0) -> Any:  # Any: of a page or of a user
    """The value as JSON knows it. Raises TypeError for what JSON cannot hold, ValueError for what is nested too deeply."""
    if depth > MAX_DEPTH * 2:
        raise ValueError("nested too deeply")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (Decimal, date)):
        return to_plain(value)
    if isinstance(value, Mapping):
        return {str(name): plain_json(one, depth + 1) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_json(one, depth + 1) for one in value]
    raise TypeError(f"a {type(value).__name__}")


def _to_list(value: Any, element: FieldType, reading: Reading, depth: int) -> list[Any]:
    values = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
    if len(values) > MAX_LIST_VALUES:
        raise MisfitError(f"a list of {len(values):,} values; at most {MAX_LIST_VALUES:,} are kept")
    converted = [_convert(one, element, reading, depth + 1) for one in values]
    return [one for one in converted if one is not None]


def _to_struct(value: Any, kind: FieldType, reading: Reading, depth: int) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _misfit(value, f"not a {kind}")
    members = {}
    for name, member in kind.members:
        try:
            members[name] = _convert(value.get(name), member, reading, depth + 1)
        except MisfitError as error:
            raise MisfitError(f"{name}: {error}") from None
    return members


def _read_text_amount(text: str, reading: Reading, thousandths: Thousandths) -> Amount | None:
    if len(text) > MAX_TEXT_CHARACTERS:
        return None
    is_for_machines = reading.notation is Notation.MACHINE and not isinstance(text, WrittenText)
    if is_for_machines and reading.decimal_separator is None and (number := read_plain_number(text)) is not None:
        return Amount(number)
    return _read_written(text, reading, thousandths)


def _read_written(text: str, reading: Reading, thousandths: Thousandths) -> Amount | None:
    options = reading.decimal_separator, thousandths
    try:
        return read_written_number(text, *options, is_price=reading.is_price, of_range=reading.of_range)
    except UnclearAmountError as error:
        raise _misfit(text, str(error)) from None


def _without_vocabulary(text: str) -> str:
    """A term of schema.org without its vocabulary: `https://schema.org/InStock` is `InStock`."""
    return next((text[len(start) :] for start in _SCHEMA_ORG if text.startswith(start)), text)


def _misfit(value: Any, problem: str) -> MisfitError:
    return MisfitError(f"{short_text(value)} is {problem}")


def short_text(value: Any) -> str:
    """A value for a message: short, and on one line."""
    try:
        text = repr(value[: MAX_SHOWN_CHARACTERS * 2] if isinstance(value, str) else value)
    except Exception as error:  # a user's object may raise anything
        text = f"a {type(value).__name__} that cannot be shown ({type(error).__name__})"
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}..."


_SIMPLE: dict[Kind, Callable[[Any, Reading], Any]] = {
    Kind.STRING: _to_text,
    Kind.INTEGER: _to_integer,
    Kind.FLOAT: _to_float,
    Kind.BOOLEAN: _to_boolean,
    Kind.DATE: _to_date,
    Kind.TIMESTAMP: _to_timestamp,
    Kind.JSON: _to_json,
}
