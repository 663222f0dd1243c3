"""Expectations against history: bounds from what the crawl's own earlier runs measured, to be judged by Great Expectations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from processing.expectations.distribution import divergence, reference, shares_of
from processing.expectations.suite_result import Measures
from schemas.datasets.expectation import Drift

MEASURES = "measures"  # the key in `runs.statistics`
MIN_RUNS = 3  # fewer say nothing about what is usual; where a drift compares with fewer runs, all of them
UNSEEN_SHARE = 0.02  # of a distribution: for values that no earlier run had, which would be infinitely unlikely otherwise


@dataclass(frozen=True, slots=True)
class DriftExpectation:
    """A drift as an expectation of Great Expectations with bounds, and in words."""

    type: str
    kwargs: dict[str, Any]
    words: str


def read_history(statistics: Iterable[str], dataset: str) -> list[Measures]:
    """The measures of a dataset in `runs.statistics` of the crawl's published runs, in the same order: give the newest first."""
    found = (json.loads(text).get(MEASURES, {}).get(dataset) for text in statistics)
    return [one for one in found if one is not None]


def drift_expectation(drift: Drift, history: Sequence[Measures]) -> DriftExpectation | None:
    """The expectation that a drift is at present; None while there is not enough history. `history` has the newest first."""
    known = [value for one in history if (value := _measured(drift, one)) is not None][: drift.runs]
    if len(known) < min(MIN_RUNS, drift.runs):
        return None
    name = f"{drift.measure} of {drift.column}" if drift.column else drift.measure
    if drift.measure == "distribution":
        return _of_distribution(drift, name, known)
    low, high = bounds(drift, [float(value) for value in known])
    words = f"drift: {name} was expected between {low:.6g} and {high:.6g} after {len(known)} runs"
    return DriftExpectation(*_between(drift, low, high), words)


def bounds(drift: Drift, known: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest value, widened by the tolerance."""
    share = drift.measure in {"null_share", "distinct_share"}
    width = drift.widened_by * (1 if share else abs(median(known)))
    low, high = min(known) - width, max(known) + width
    if share:
        return max(0.0, low), min(1.0, high)
    return (max(0.0, low) if drift.measure == "row_count" else low), high


def _between(drift: Drift, low: float, high: float) -> tuple[str, dict[str, Any]]:
    """Great Expectations' own expectation for bounds of a measure."""
    if drift.measure == "row_count":
        return "expect_table_row_count_to_be_between", {"min_value": int(np.ceil(low)), "max_value": int(high)}
    if drift.measure == "null_share":  # it knows the share of the other values
        kwargs = {"column": drift.column, "min_value": 1 - high, "max_value": 1 - low}
        return "expect_column_proportion_of_non_null_values_to_be_between", kwargs
    kwargs = {"column": drift.column, "min_value": low, "max_value": high}
    if drift.measure == "mean":
        return "expect_column_mean_to_be_between", kwargs
    return "expect_column_proportion_of_unique_values_to_be_between", kwargs


def _of_distribution(drift: Drift, name: str, known: Sequence[Mapping[str, Any]]) -> DriftExpectation | None:
    """Relative entropy to what the earlier runs had together: at most the highest of theirs, and the tolerance."""
    expected = reference(known)
    if expected is None:
        return None
    highest = max(divergence(shares_of(one, expected), expected, UNSEEN_SHARE) for one in known)
    threshold = highest + drift.widened_by
    kwargs: dict[str, Any] = {"column": drift.column, "partition_object": expected, "threshold": threshold}
    kwargs["tail_weight_holdout"] = UNSEEN_SHARE
    if "bins" in expected:
        kwargs["internal_weight_holdout"] = UNSEEN_SHARE
    words = f"drift: the relative entropy of the {name} was expected to be at most {threshold:.6g} after {len(known)} runs"
    return DriftExpectation("expect_column_kl_divergence_to_be_less_than", kwargs, words)


def _measured(drift: Drift, measures: Measures) -> Any:  # Any: a number, or a distribution
    if drift.measure == "row_count":
        return measures.get("row_count")
    return measures.get("columns", {}).get(drift.column, {}).get(drift.measure)
