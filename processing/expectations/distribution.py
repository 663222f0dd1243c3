"""The distribution of a column: measured in each run, put together over earlier runs, and compared.

Numbers are kept as quantiles, from which bins are made that hold about equally many values of the earlier runs. Texts and booleans are
kept as the share of each value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

QUANTILES = 50  # steps between the lowest and the highest value
BINS = 10
MAX_VALUES = 100  # a text with more is no category, and has no distribution
Distribution = dict[str, Any]  # JSON: `quantiles`, or `values` and `weights`
Shares = npt.NDArray[np.float64]


def distribution_of(column: pa.ChunkedArray) -> Distribution | None:
    """The distribution of the values that are not NULL; None without any, or of too many different texts."""
    values = column.drop_null()
    if len(values) == 0:
        return None
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        points = np.quantile(values.to_numpy().astype(float), np.linspace(0, 1, QUANTILES + 1))
        return {"quantiles": [float(point) for point in points]}
    counts = {one["values"]: one["counts"] for one in pc.value_counts(values.combine_chunks()).to_pylist()}
    if len(counts) > MAX_VALUES:
        return None
    names = sorted(counts, key=str)
    return {"values": names, "weights": [counts[name] / len(values) for name in names]}


def reference(known: Sequence[Mapping[str, Any]]) -> Distribution | None:
    """What distributions are together, as a partition of Great Expectations. None where they are not of one kind."""
    if all("quantiles" in one for one in known):
        points = np.concatenate([one["quantiles"] for one in known])
        bins = _bins(points)
        weights = np.histogram(points, bins)[0] / len(points)
        return {"bins": bins.tolist(), "weights": weights.tolist()}
    if not all("values" in one for one in known):
        return None
    totals: Counter[Any] = Counter()
    for one in known:
        totals.update(dict(zip(one["values"], one["weights"], strict=True)))
    names = sorted(totals, key=str)
    return {"values": names, "weights": [totals[name] / sum(totals.values()) for name in names]}


def shares_of(one: Mapping[str, Any], expected: Mapping[str, Any]) -> Shares:
    """The share of each bin, or of each value, of the reference in one of the distributions that it is made of."""
    if "bins" in expected:
        counts = np.histogram(one["quantiles"], expected["bins"])[0]
        return np.asarray(counts / len(one["quantiles"]), float)
    shares = dict(zip(one["values"], one["weights"], strict=True))
    return np.asarray([shares.get(name, 0.0) for name in expected["values"]], float)


def divergence(shares: Shares, expected: Mapping[str, Any], unseen: float) -> float:
    """Relative entropy in nats, as Great Expectations computes it; bins have the share `unseen` outside of them."""
    weights = np.asarray(expected["weights"], float) * (1 - unseen if "bins" in expected else 1)
    there = shares > 0
    return float(np.sum(shares[there] * np.log(shares[there] / weights[there])))


def _bins(points: Shares) -> Shares:
    """Edges between which there are about equally many points, and some between any two."""
    edges = np.unique(np.quantile(points, np.linspace(0, 1, BINS + 1), method="nearest"))
    if len(edges) == 1:  # all values are the same
        width = max(abs(float(edges[0])), 1.0) * 1e-9
        return np.asarray([edges[0] - width, edges[0] + width], float)
    return np.asarray(edges, float)
