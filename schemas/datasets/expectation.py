"""Expectations of a dataset's new rows: in Great Expectations' own words, or against the crawl's own earlier runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.datasets.expectation_types import (
    COLUMN_ARGUMENTS,
    IGNORED_ARGUMENTS,
    check_arguments,
    expectation_type,
    expectation_types,
)
from schemas.yaml_files.bounds import at_most
from schemas.yaml_files.model import ConfigModel
from schemas.yaml_files.values import Line

MAX_HISTORY_RUNS = 100
NOT_ARGUMENTS = frozenset({"description", "expectation_context", "id", "kwargs", "meta", "notes", "rendered_content", "severity", "type"})
BEGINNINGS_OF_ROWS = ("expect_column_values_", "expect_column_value_", "expect_column_pair_values_")  # of types that report rows
Severity = Literal["critical", "warning", "info"]
Measure = Literal["row_count", "null_share", "mean", "distinct_share", "distribution"]


def _known_type(name: str) -> str:
    return expectation_type(name).name


def _types_of_rows() -> list[str]:
    """The types that say which rows do not meet them; those of the same beginning are named by it, so that a message has room for all."""
    others = [name for name, one in expectation_types().items() if one.reports_rows and not name.startswith(BEGINNINGS_OF_ROWS)]
    return [*(f"{one}..." for one in BEGINNINGS_OF_ROWS), *others]


class Expectation(ConfigModel):
    """An expectation in Great Expectations' own words: its type, and its arguments in `kwargs` or beside it.

    `critical` fails the gate, `warning` sends the offending rows to quarantine, `info` is only reported.
    """

    type: Annotated[str, AfterValidator(_known_type)]
    severity: Severity = "critical"
    kwargs: dict[str, Any] = Field(default_factory=dict)  # Any: what the expectation takes

    @model_validator(mode="before")
    @classmethod
    def _arguments(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        own = {name: data[name] for name in ("type", "severity") if name in data}
        kwargs = data.get("kwargs") or {}
        if not isinstance(kwargs, dict):
            return {**own, "kwargs": kwargs}
        given = {**kwargs, **{name: value for name, value in data.items() if name not in NOT_ARGUMENTS}}
        return {**own, "kwargs": {name: value for name, value in given.items() if name not in IGNORED_ARGUMENTS}}

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        known = expectation_type(self.type)
        check_arguments(self.type, self.kwargs)
        if self.severity == "warning" and not known.reports_rows:
            raise ValueError(
                f"{self.type} names no rows that could go to quarantine: its severity is 'critical' or 'info'; 'warning' is for "
                f"{', '.join(_types_of_rows())}"
            )
        return self

    def columns(self) -> list[str]:
        """The columns that it names."""
        named: list[str] = []
        for argument in COLUMN_ARGUMENTS:
            value = self.kwargs.get(argument)
            named.extend([value] if isinstance(value, str) else [name for name in value or () if isinstance(name, str)])
        return list(dict.fromkeys(named))


class Drift(ConfigModel):
    """A comparison with the crawl's own last `runs` published runs.

    The measure must lie between the lowest and the highest of those runs, widened on both sides by `tolerance`. Of `row_count` and `mean`
    that is a share of their median (0.5 by default); of `null_share` and `distinct_share` a difference of shares (0.1 by default: from 2 %
    to 12 %); of `distribution` a relative entropy in nats (0.1 by default), which 0 says of equal distributions.
    """

    measure: Measure
    column: Line | None = None
    runs: int = Field(default=10, ge=2, le=MAX_HISTORY_RUNS)
    tolerance: Annotated[float, at_most(1_000)] | None = Field(default=None, ge=0)
    severity: Literal["critical", "info"] = "critical"

    @model_validator(mode="after")
    def _column_of_a_measure(self) -> Self:
        if (self.column is None) != (self.measure == "row_count"):
            raise ValueError("'row_count' is of the whole dataset; every other measure needs a 'column'")
        return self

    @property
    def widened_by(self) -> float:
        """The tolerance, or the measure's own where none is given."""
        if self.tolerance is not None:
            return self.tolerance
        return 0.5 if self.measure in {"row_count", "mean"} else 0.1
