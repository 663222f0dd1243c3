"""The expectations of Great Expectations that a dataset can have: their names, their arguments, and which of them report rows.

They stand in `schemas/expectations/types.json`, so that a definition is checked without importing Great Expectations, which takes
seconds. `python -m processing.expectations.catalog` writes that file from the installed package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

REGEX_ARGUMENTS = ("regex", "regex_list")
BOUNDS = ("min_value", "max_value")
COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")
IGNORED_ARGUMENTS = frozenset({"batch_id", "result_format", "catch_exceptions"})  # suite files have them; they do not say what is expected
_KINDS: dict[str, type | tuple[type, ...]] = {
    "array": (list, tuple),
    "date": (date, str),
    "number": float,
    "object": dict,
    "string": str,
}
_NAME = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of an expectation: whether it must be given, its JSON types and, of some texts, the allowed values."""

    required: bool
    types: tuple[str, ...]
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectationType:
    """An expectation. It reports rows if it judges each row; `row_by_row` means that a row is judged without looking at the others."""

    name: str
    reports_rows: bool
    row_by_row: bool
    arguments: Mapping[str, Argument]


@cache
def expectation_types() -> dict[str, ExpectationType]:
    """All expectations that a dataset can have, by name."""
    return {name: _read_type(name, one) for name, one in _file()["types"].items()}


def expectation_type(name: str) -> ExpectationType:
    """The expectation of a name. Raises ValueError, saying what there is."""
    known = expectation_types()
    if name in known:
        return known[name]
    refused = _file()["refused"].get(name)
    if refused is not None:
        raise ValueError(f"{name} cannot judge a dataset: {refused}")
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ", like expect_column_values_to_not_be_null"
    raise ValueError(f"{name!r} is not an expectation of Great Expectations{hint}")


def check_arguments(name: str, arguments: Mapping[str, Any]) -> None:
    """Raises ValueError for an argument that the expectation does not take, that is missing, or that is of the wrong type."""
    known = expectation_type(name).arguments
    for argument, value in arguments.items():
        if argument not in known:
            near = get_close_matches(argument, known, n=1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise ValueError(f"{name} has no argument '{argument}'; {hint}it takes {', '.join(sorted(known))}")
        _check_value(name, argument, known[argument], value)
    missing = [argument for argument, one in known.items() if one.required and arguments.get(argument) is None]
    if missing:
        raise ValueError(f"{name} needs the argument {' and '.join(map(repr, missing))}")
    _check_bounds(name, known, arguments)


def condition_names(condition: object) -> list[str]:
    """The names in a `row_condition`, which may be columns."""
    return _NAME.findall(_QUOTED.sub(" ", condition)) if isinstance(condition, str) else []


def _check_value(name: str, argument: str, known: Argument, value: object) -> None:
    if value is None and not known.required:
        return
    if not _is_of(value, known.types):
        raise ValueError(f"the argument '{argument}' of {name} is {_words(value)}, but must be {' or '.join(known.types)}")
    if known.choices and isinstance(value, str) and value not in known.choices:
        raise ValueError(f"the argument '{argument}' of {name} is {value!r}, but must be {' or '.join(map(repr, known.choices))}")
    if argument == "mostly" and isinstance(value, (int, float)) and not 0 <= value <= 1:
        raise ValueError(f"the argument 'mostly' of {name} is {value}, but must be a share between 0 and 1")
    if argument in REGEX_ARGUMENTS:
        for pattern in [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else ():
            _check_pattern(name, argument, pattern)


def _check_pattern(name: str, argument: str, pattern: object) -> None:
    try:
        re.compile(str(pattern))
    except re.error as error:
        raise ValueError(f"the argument '{argument}' of {name} is no regular expression: {error}") from error


def _check_bounds(name: str, known: Mapping[str, Argument], arguments: Mapping[str, Any]) -> None:
    if not set(BOUNDS) <= set(known) or "partition_object" in known:
        return
    low, high = (arguments.get(bound) for bound in BOUNDS)
    if low is None and high is None:
        raise ValueError(f"{name} needs 'min_value', 'max_value' or both")
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise ValueError(f"{name} has a 'min_value' of {low} and a 'max_value' of {high}: no value can be between")


def _is_of(value: object, types: tuple[str, ...]) -> bool:
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, int):
        return "integer" in types or "number" in types
    kinds: dict[str, type | tuple[type, ...]] = {
        "number": float,
        "string": str,
        "date": (date, str),
        "array": (list, tuple),
        "object": dict,
    }
    return any(isinstance(value, kinds[kind]) for kind in types if kind in kinds)


def _words(value: object) -> str:
    return repr(value)[:60]


@cache
def _file() -> dict[str, Any]:  # Any: what the generated file says
    text = (files("schemas") / "expectations" / "types.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _read_type(name: str, data: Mapping[str, Any]) -> ExpectationType:
    arguments = {
        argument: Argument(bool(one.get("required")), tuple(one["types"]), tuple(one.get("choices", ())))
        for argument, one in data["arguments"].items()
    }
    return ExpectationType(name, data["rows"] != "no", data["rows"] == "one", arguments)
