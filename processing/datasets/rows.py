"""Converts a raw row, as a source gives it, to a row of typed values, or names the field and the value that do not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import chain
from typing import Any

from processing.article.tree.entities import storable
from processing.datasets.amounts.numbers import currency_code
from processing.datasets.identity import key_digest
from processing.datasets.values import MisfitError, Notation, Reading, convert, from_plain, plain_json, read_amount, short_text, to_plain
from schemas.datasets.dataset import Dataset
from schemas.datasets.field_types import Kind
from schemas.datasets.page_rows import Row

RawRow = Mapping[str, Any]  # Any: a value of JSON or of Python
MAX_ROW_CHARACTERS = 2_000_000  # of all values together
MAX_SIZE_DEPTH = 30  # deeper ones count as too large
CONTAINER_CHARACTERS = 10  # that a list or an object counts for
MAX_DETAIL_CHARACTERS = 500
SHORT_CHARACTERS = 10_000
CACHED_VALUES = 4_096  # of one field: prices and words recur on the pages of a site
CACHED_CHARACTERS = 50
NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})
FREE = frozenset({"free", "free of charge", "gratis", "kostenlos", "kostenfrei", "gratuit", "gratuito", "gratuita"})  # a price of 0
SINGLE = frozenset(Kind) - {Kind.LIST, Kind.STRUCT}
TYPE_RULE, KEY_RULE, UNDECLARED_RULE, SIZE_RULE, JSON_LD_RULE = "type", "key", "undeclared", "size", "json_ld"


class RowTyper:
    """Makes rows of one dataset out of raw rows; made once, used for many."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._types = {name: field.field_type for name, field in dataset.fields.items()}
        self._readings = {name: reading_of(dataset, name) for name in dataset.fields}
        self._defaults = {name: field.default for name, field in dataset.fields.items()}
        self._may_be_empty = frozenset(name for name, field in dataset.fields.items() if field.misfit == "empty")
        self._refuses_undeclared = dataset.undeclared_fields == "quarantine"
        self._currencies = {
            name: field.unit for name, field in dataset.fields.items() if field.unit in dataset.fields and self._types[name].kind in NUMBERS
        }
        self._currency_fields = frozenset(self._currencies.values())
        self._columns = [
            (
                name,
                kind.kind is Kind.STRING and name not in self._currency_fields,
                kind.kind in SINGLE and name not in self._currency_fields,
            )
            for name, kind in self._types.items()
        ]
        self._converted: dict[str, dict[str, Any]] = {name: {} for name in self._types}  # short texts, with what they are as values
        self._key = dataset.key

    def row(self, raw: RawRow, host: str, url: str, size: int | None = None) -> Row:
        """The row of typed values in plain form. Never fails, whatever the raw row holds. `size` is `size_of(raw)`, if it is known."""
        plain, problem = self._plain(raw, size_of(raw) if size is None else size)
        key = [host if name == "host" else url if name == "url" else plain.get(name) for name in self._key]
        is_whole = None not in key and "" not in key
        identity = key_digest(key) if is_whole else None
        if problem is None and not is_whole:
            missing = [name for name, value in zip(self._key, key, strict=True) if value is None or value == ""]
            problem = KEY_RULE, f"{', '.join(missing)}: a key cannot be empty"
        if problem is None:
            return Row(plain, identity)
        rule, detail = problem
        return Row(plain, identity, rule, storable(detail[:MAX_DETAIL_CHARACTERS]), row_json(raw))

    def lost_row(self, detail: str, text: str) -> Row:
        """The row of an object that is lost in a text that cannot be read."""
        return Row(dict.fromkeys(self._types), None, JSON_LD_RULE, storable(detail[:MAX_DETAIL_CHARACTERS]), row_json({"script": text}))

    def _plain(self, raw: RawRow, size: int) -> tuple[dict[str, Any], tuple[str, str] | None]:
        """The values that fit, in plain form, and the first problem, as its rule and detail."""
        if size > MAX_ROW_CHARACTERS:
            return dict.fromkeys(self._types), (SIZE_RULE, f"the row has more than {MAX_ROW_CHARACTERS:,} characters")
        plain: dict[str, Any] = {}
        problem: tuple[str, str] | None = None
        for name, is_text, is_single in self._columns:
            value = raw.get(name)
            if is_text and type(value) is str and value.isascii() and not value.isspace() and 0 < len(value) <= SHORT_CHARACTERS:
                plain[name] = value  # most values are such: nothing is to be converted
                continue
            try:
                if is_single and type(value) is str and len(value) <= CACHED_CHARACTERS:
                    plain[name] = self._cached(name, value)
                else:
                    plain[name] = self._convert(name, self._raw_value(raw, name))
            except MisfitError as error:
                plain[name] = None
                if name not in self._may_be_empty:
                    problem = problem or (TYPE_RULE, f"{name}: {error}")
        if not self._refuses_undeclared or problem is not None or raw.keys() <= self._types.keys():
            return plain, problem
        undeclared = [name for name, value in raw.items() if name not in self._types and value is not None]
        if undeclared:
            problem = UNDECLARED_RULE, f"{', '.join(map(str, undeclared[:10]))}: not declared in the dataset's fields"
        return plain, problem

    def _convert(self, name: str, value: Any) -> Any:
        if name in self._currencies and isinstance(value, str) and value.strip().lower() in FREE:
            value = 0
        return to_plain(convert(value, self._types[name], self._readings[name]))

    def _cached(self, name: str, text: str) -> Any:
        """The value of a short text, in plain form. Raises MisfitError."""
        known = self._converted[name]
        if text not in known:
            if len(known) >= CACHED_VALUES:
                known.clear()
            known[text] = self._convert(name, self._defaults[name] if _is_empty(text) else text)
        return known[text]

    def _raw_value(self, raw: RawRow, name: str) -> Any:
        value = raw.get(name)
        if name in self._currency_fields:
            value = self._currency(raw, name) if _is_empty(value) else currency_code(value) if isinstance(value, str) else value
        return self._defaults[name] if _is_empty(value) else value

    def _currency(self, raw: RawRow, name: str) -> str | None:
        """The currency that the price in another field is written with."""
        for price, currency in self._currencies.items():
            if currency == name and isinstance(raw.get(price), str):
                try:
                    amount = read_amount(raw[price], self._readings[price])
                except MisfitError:  # says so as the price
                    continue
                if amount is not None and amount.currency:
                    return amount.currency
        return None


def reading_of(dataset: Dataset, name: str) -> Reading:
    """How a field's texts are read: in people's notation if a selector takes an element's text, otherwise in machines' notation."""
    field, source = dataset.fields[name], dataset.source
    selector = source.selectors.get(name) if source is not None and source.selectors else None
    notation = Notation.WRITTEN if selector is not None and selector.attr is None else Notation.MACHINE
    is_price = field.unit in dataset.fields
    return Reading(notation, field.decimal_separator, field.day_first, is_price=is_price, of_range=field.of_range)


def arrow_values(dataset: Dataset, row: Row) -> dict[str, Any]:
    """The row's values as Arrow takes them for the columns of the dataset's fields."""
    return {name: from_plain(row.values.get(name), field.field_type) for name, field in dataset.fields.items()}


def row_json(raw: RawRow) -> str:
    """A raw row as JSON for people, whatever it holds; what JSON cannot hold is described."""
    try:
        text = json.dumps(plain_json(raw), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps({str(name): short_text(value) for name, value in list(raw.items())[:1_000]}, ensure_ascii=False)
    text = text if len(text) <= MAX_ROW_CHARACTERS else json.dumps({"cut_off": text[: MAX_ROW_CHARACTERS // 2]}, ensure_ascii=False)
    return storable(text)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, str) and value.isspace())


def size_of(value: Any, depth: int = 0) -> int:
    """About how many characters a value has; counting ends where it is too many for a row."""
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, (dict, list, tuple, Mapping)):  # `Mapping` last: an abstract class is slow to ask
        return 1
    if depth > MAX_SIZE_DEPTH:
        return MAX_ROW_CHARACTERS + 1
    total = CONTAINER_CHARACTERS
    for one in value if isinstance(value, (list, tuple)) else chain.from_iterable(value.items()):
        total += len(one) if isinstance(one, str) else 1 if one is None else size_of(one, depth + 1)
        if total > MAX_ROW_CHARACTERS:
            break
    return total
